// What of a building needs somebody's attention. Pure, from the lists of the API.

import type { Controller, Door, HomeState, Panel, Unit } from '../api/http';
import type { Section } from './routes';

/** People live here, and no device of theirs rings. */
export const cannotBeRung = (unit: Unit) => unit.residents > 0 && unit.reachable_devices === 0;

/** Screens translate `admin-attention-<what>`. */
export interface Attention {
  what: 'panel_offline' | 'controller_offline' | 'door_alarm' | 'door_without_controller' | 'units_unreachable';
  section: Section;
  name: string;
  count: number;
}

/** How many homes are lived in, and no device of anybody there rings. */
export const unreachable = (counts: readonly { state: HomeState; homes: number }[]): number =>
  counts.filter(({ state }) => NO_DEVICE.includes(state)).reduce((sum, { homes }) => sum + homes, 0);
const NO_DEVICE: readonly HomeState[] = ['suspended', 'no_account', 'no_device'];

export function attention(building: { panels: Panel[]; controllers: Controller[]; doors: Door[]; unreachable: number }): Attention[] {
  const { unreachable } = building;
  return [
    ...building.doors
      .filter(({ state }) => state && state.alarm !== 'normal')
      .map(({ name }): Attention => ({ what: 'door_alarm', section: 'doors', name, count: 1 })),
    ...building.controllers
      .filter(({ online }) => !online)
      .map(({ name }): Attention => ({ what: 'controller_offline', section: 'controllers', name, count: 1 })),
    ...building.panels
      .filter(({ online }) => !online)
      .map(({ name }): Attention => ({ what: 'panel_offline', section: 'panels', name, count: 1 })),
    ...building.doors
      .filter(({ controller }) => !controller)
      .map(({ name }): Attention => ({ what: 'door_without_controller', section: 'doors', name, count: 1 })),
    ...(unreachable > 0
      ? [{ what: 'units_unreachable', section: 'units', name: '', count: unreachable } satisfies Attention]
      : [])
  ];
}
