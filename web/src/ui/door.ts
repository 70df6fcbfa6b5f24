/** How a door is shown, on every screen. "Open" comes only from what the door's controller said. */
import type { DoorState, OpeningState, RefusalCode } from '../api/wire';

export type DoorLook =
  | { kind: 'locked' }
  | { kind: 'sending' }
  /** `until` on the clock of `performance.now()`; without it nobody said how long. */
  | { kind: 'open'; until?: number }
  /** Another system was asked to open; nothing more is known. */
  | { kind: 'sent' }
  | { kind: 'held_open' }
  | { kind: 'refused'; reason: RefusalCode }
  | { kind: 'blocked' }
  | { kind: 'locked_down' }
  | { kind: 'offline' };

/** From an opening that this screen follows. `receivedAt` is `performance.now()` when the news came. */
export function lookOfOpening(opening: OpeningState, receivedAt: number): DoorLook {
  switch (opening.state) {
    case 'sending':
      return { kind: 'sending' };
    case 'open':
      return { kind: 'open', until: receivedAt + opening.for_ms };
    case 'sent':
      return { kind: 'sent' };
    case 'refused':
      return { kind: 'refused', reason: opening.reason };
  }
}

/** From what the door's controller last said; absent while it is not connected. */
export function lookOfDoor(state: DoorState | undefined): DoorLook {
  switch (state?.mode) {
    case undefined:
      return { kind: 'offline' };
    case 'locked':
      return { kind: 'locked' };
    case 'accessed':
      return { kind: 'open' };
    case 'unlocked':
    case 'locked_open':
      return { kind: 'held_open' };
    case 'blocked':
      return { kind: 'blocked' };
    case 'locked_down':
      return { kind: 'locked_down' };
  }
}
