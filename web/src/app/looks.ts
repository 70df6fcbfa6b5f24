// How a door of this device's list or call is shown, and whether it can be opened from here.

import type { AppDoor } from '../api/wire';
import type { DoorLook } from '../ui/door';
import { lookOfDoor } from '../ui/door';
import type { Opening } from './house';

/** Why the button of a door takes no taps; screens translate `app-closed-<why>`. */
export type Closed = 'no_connection' | 'door_offline' | 'held_open' | 'blocked' | 'locked_down';

/** What an opening that this device follows makes of the door's look; nothing once it says nothing more. */
export function lookOf(opening: Opening | undefined): DoorLook | undefined {
  switch (opening?.phase) {
    case 'asking':
    case 'sending':
      return { kind: 'sending' };
    case 'open':
      return { kind: 'open', until: opening.until };
    case 'sent':
      return { kind: 'sent' };
    case 'refused':
      return opening.reason && { kind: 'refused', reason: opening.reason };
    default:
      return undefined;
  }
}

export function lookOfListed(door: AppDoor, opening: Opening | undefined, connected: boolean): DoorLook {
  // Without a connection nothing is known of the door; the last that was heard may be long past.
  if (!connected) return { kind: 'offline' };
  return lookOf(opening) ?? lookOfDoor(door.state);
}

export function closed(door: AppDoor, connected: boolean): Closed | undefined {
  if (!connected) return 'no_connection';
  switch (door.state?.mode) {
    case undefined:
      return 'door_offline';
    case 'unlocked':
    case 'locked_open':
      return 'held_open';
    case 'blocked':
      return 'blocked';
    case 'locked_down':
      return 'locked_down';
    default:
      return undefined;
  }
}

export const isUnderWay = (opening: Opening | undefined) =>
  opening?.phase === 'asking' || opening?.phase === 'sending';
