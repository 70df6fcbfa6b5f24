// What a property is made of, as one changes it: where each part comes from, which of its fields stand in a form, and
// what of them goes back.

import type { BuildingKind, HolidayCalendar, Relock } from '../api/http';
import { api } from '../lib/api';

export type PartKind = 'building' | 'entrance' | 'unit' | 'door' | 'panel' | 'controller';

/** The fields of every part; each part has some. Numbers are texts, as they are typed. */
export interface PartValues extends Record<string, unknown> {
  name: string;
  address: string;
  kind: string;
  time_zone: string;
  holidays: string;
  number: string;
  entrance: string;
  doors: string[];
  release: string;
  extended: string;
  open: string;
  relock: string;
  controller: string;
  output: string;
}

export interface Uses {
  people: number;
  moves: number;
  units: number;
  panels: number;
  doors: number;
  bells: number;
  rules: number;
}

/** A part as it was seen. */
export interface PartSeen {
  version: number;
  uses: Uses;
  name: string;
  values: PartValues;
}

const NOTHING: PartValues = {
  name: '', address: '', kind: 'residential', time_zone: '', holidays: 'none', number: '', entrance: '', doors: [],
  release: '', extended: '', open: '', relock: 'on_close', controller: '', output: '1'
};

interface PartSource {
  get: (id: string) => Promise<PartSeen>;
  /** `changed` has what differs; `values` all of it, for what is sent as a whole. */
  change: (id: string, version: number, changed: Partial<PartValues>, values: PartValues) => Promise<PartSeen>;
  /** From what a conflict carries. */
  seen: (answer: unknown) => PartSeen;
  /** What must go before it can; the rest goes with it. */
  blocked: (keyof Uses)[];
}

type Answer<Name extends keyof typeof api> = Awaited<ReturnType<(typeof api)[Name] extends (...asked: never[]) => infer Given ? (...asked: never[]) => Given : never>>;

const building = ({ building, version, uses }: Answer<'building'>): PartSeen => {
  const { name, address, kind, time_zone, holidays } = building;
  return { version, uses, name, values: { ...NOTHING, name, address, kind, time_zone, holidays } };
};
const entrance = ({ entrance, version, uses }: Answer<'entrance'>): PartSeen => ({
  version, uses, name: entrance.name, values: { ...NOTHING, name: entrance.name }
});
const unit = ({ number, entrance, doors, version, uses }: Answer<'unit'>): PartSeen => ({
  version, uses, name: number, values: { ...NOTHING, number, entrance, doors }
});
const door = ({ door, version, uses }: Answer<'door'>): PartSeen => ({
  version, uses, name: door.name,
  values: {
    ...NOTHING,
    name: door.name,
    release: String(door.times.release_ms / 1000),
    extended: String((door.times.extended_release_ms ?? 0) / 1000),
    open: String(door.times.open_ms / 1000),
    relock: door.times.relock,
    controller: door.controller ?? '',
    output: String(door.output + 1)
  }
});
const panel = ({ panel, version, uses }: Answer<'panel'>): PartSeen => ({
  version, uses, name: panel.name, values: { ...NOTHING, name: panel.name, entrance: panel.entrance ?? '', doors: panel.doors }
});
const controller = ({ controller, version, uses }: Answer<'controller'>): PartSeen => ({
  version, uses, name: controller.name, values: { ...NOTHING, name: controller.name }
});

const milliseconds = (seconds: string) => Math.round((Number(seconds.replace(',', '.')) || 0) * 1000);

export const PARTS: Record<PartKind, PartSource> = {
  building: {
    get: async (id) => building(await api.building(id)),
    change: async (id, version, { name, address, kind, time_zone, holidays }) =>
      building(await api.changeBuilding(id, {
        version, ...(name !== undefined && { name }), ...(address !== undefined && { address }),
        ...(kind !== undefined && { kind: kind as BuildingKind }), ...(time_zone !== undefined && { time_zone }),
        ...(holidays !== undefined && { holidays: holidays as HolidayCalendar })
      })),
    seen: (answer) => building(answer as Answer<'building'>),
    blocked: ['people', 'moves']
  },
  entrance: {
    get: async (id) => entrance(await api.entrance(id)),
    change: async (id, version, { name }) => entrance(await api.changeEntrance(id, { version, ...(name !== undefined && { name }) })),
    seen: (answer) => entrance(answer as Answer<'entrance'>),
    blocked: ['units', 'panels']
  },
  unit: {
    get: async (id) => unit(await api.unit(id)),
    change: async (id, version, { number, entrance, doors }) =>
      unit(await api.changeUnit(id, {
        version, ...(number !== undefined && { number }), ...(entrance !== undefined && { entrance }), ...(doors && { doors })
      })),
    seen: (answer) => unit(answer as Answer<'unit'>),
    blocked: ['people', 'moves']
  },
  door: {
    get: async (id) => door(await api.door(id)),
    change: async (id, version, changed, { release, extended, open, relock, controller, output }) =>
      door(await api.changeDoor(id, {
        version,
        ...(changed.name !== undefined && { name: changed.name }),
        ...(['release', 'extended', 'open', 'relock'].some((field) => field in changed) && {
          times: { release_ms: milliseconds(release), extended_release_ms: milliseconds(extended), open_ms: milliseconds(open), relock: relock as Relock }
        }),
        ...(['controller', 'output'].some((field) => field in changed) && {
          wiring: { ...(controller && { controller }), output: Math.max(Number(output) - 1, 0) || 0 }
        })
      })),
    seen: (answer) => door(answer as Answer<'door'>),
    blocked: []
  },
  panel: {
    get: async (id) => panel(await api.panel(id)),
    change: async (id, version, { name, entrance, doors }) =>
      panel(await api.changePanel(id, {
        version, ...(name !== undefined && { name }), ...(entrance !== undefined && { entrance }), ...(doors && { doors })
      })),
    seen: (answer) => panel(answer as Answer<'panel'>),
    blocked: []
  },
  controller: {
    get: async (id) => controller(await api.controller(id)),
    change: async (id, version, { name }) =>
      controller(await api.changeController(id, { version, ...(name !== undefined && { name }) })),
    seen: (answer) => controller(answer as Answer<'controller'>),
    blocked: []
  }
};

/** Only what differs. */
export function differing(from: PartValues, to: PartValues): Partial<PartValues> {
  return Object.fromEntries(
    Object.entries(to).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(from[field]))
  ) as Partial<PartValues>;
}
