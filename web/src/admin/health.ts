// What of a building needs somebody's attention. Pure, from the lists of the API.

import type { AlarmsPage, Controller, Door, HomeState, Panel, Unit } from '../api/http';
import type { Section } from './routes';

/** People live here, and no device of theirs rings. */
export const cannotBeRung = (unit: Unit) => unit.residents > 0 && unit.reachable_devices === 0;

/** Screens translate `admin-attention-<what>`. */
export interface Attention {
  what: 'alarms_standing' | 'alarms_unseen' | 'panel_offline' | 'controller_offline' | 'door_alarm' | 'door_without_controller' | 'units_unreachable';
  section: Section;
  name: string;
  count: number;
}

/** How many alarms need somebody. */
type Alarms = Pick<AlarmsPage, 'standing' | 'unseen'>;

/** How many homes are lived in, and no device of anybody there rings. */
export const unreachable = (counts: readonly { state: HomeState; homes: number }[]): number =>
  counts.filter(({ state }) => NO_DEVICE.includes(state)).reduce((sum, { homes }) => sum + homes, 0);
const NO_DEVICE: readonly HomeState[] = ['suspended', 'no_account', 'no_device'];

export function attention(building: { panels: Panel[]; controllers: Controller[]; doors: Door[]; unreachable: number; alarms?: Alarms | undefined }): Attention[] {
  const { unreachable, alarms } = building;
  return [
    ...(alarms?.standing ? [{ what: 'alarms_standing', section: 'alarms', name: '', count: alarms.standing } satisfies Attention] : []),
    ...(alarms?.unseen ? [{ what: 'alarms_unseen', section: 'alarms', name: '', count: alarms.unseen } satisfies Attention] : []),
    ...building.doors
      // what stands is counted above; else it is not journalled yet
      .filter(({ state }) => state && state.alarm !== 'normal' && !alarms?.standing)
      .map(({ name }): Attention => ({ what: 'door_alarm', section: 'doors', name, count: 1 })),
    ...building.controllers
      .filter(({ online }) => !online)
      .map(({ name }): Attention => ({ what: 'controller_offline', section: 'controllers', name, count: 1 })),
    ...building.panels
      .filter(({ online }) => !online)
      .map(({ name }): Attention => ({ what: 'panel_offline', section: 'panels', name, count: 1 })),
    ...building.doors
      .filter(({ controller, station }) => !controller && !station)
      .map(({ name }): Attention => ({ what: 'door_without_controller', section: 'doors', name, count: 1 })),
    ...(unreachable > 0
      ? [{ what: 'units_unreachable', section: 'units', name: '', count: unreachable } satisfies Attention]
      : [])
  ];
}
