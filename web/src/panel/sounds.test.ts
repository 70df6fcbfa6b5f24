import { describe, expect, it } from 'vitest';
import type { EndReason } from '../api/wire';
import { soundOf } from './sounds';
import { initial, type PanelState } from './state';

const rest = initial(undefined, 0);
const calling: PanelState = {
  ...rest,
  visit: { at: 'calling', call: 'c', label: 'Berg', step: 1, steps: 1, reached: false, until: 9 },
};
const connected: PanelState = { ...rest, visit: { at: 'connected', call: 'c', label: 'Berg', until: 9 } };
const over = (ending: Exclude<EndReason, 'visitor_left'>): PanelState => ({
  ...rest,
  visit: { at: 'over', ending, label: 'Berg', until: 9 },
});
const door = (state: PanelState, is: 'open' | 'sending'): PanelState => ({
  ...state,
  opening: is === 'open' ? { door: 'A', is, until: 9, forMs: 5 } : { door: 'A', is, until: 9 },
});

describe('every turn of a call is heard', () => {
  it.each([
    [rest, calling, 'calling'],
    [calling, connected, 'connected'],
    [connected, over('resident_hung_up'), 'ended'],
    [calling, over('no_answer'), 'no_answer'],
    [calling, over('declined'), 'no_answer'],
    [calling, over('unreachable'), 'no_answer'],
    [connected, over('interrupted'), 'no_answer'],
    [door(connected, 'sending'), door(connected, 'open'), 'open'],
    [rest, { ...rest, warned: true }, 'warning'],
  ] as const)('%#', (before, after, sound) => expect(soundOf(before, after)).toBe(sound));

  it('the chime of the open door is for the open door alone', () => {
    expect(soundOf(connected, door(connected, 'sending'))).toBeUndefined();
    expect(soundOf(calling, over('opened'))).toBeUndefined();
    expect(soundOf(door(connected, 'open'), door(connected, 'open'))).toBeUndefined();
  });

  it('news within a step are silent', () => {
    expect(soundOf(calling, { ...calling, link: 'offline' })).toBeUndefined();
  });
});
