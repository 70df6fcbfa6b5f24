import { render, screen } from '@testing-library/svelte';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DoorMode, RefusalCode } from '../api/wire';
import { setLocale } from '../lib/i18n';
import { lookOfDoor, lookOfOpening } from './door';
import DoorStateChip from './DoorStateChip.svelte';

const door = (mode: DoorMode) => lookOfDoor({ mode, position: 'closed', alarm: 'normal' });

describe('the look of a door', () => {
  it('is never open before its controller says so', () => {
    expect(lookOfOpening({ state: 'sending' }, 0).kind).toBe('sending');
    expect(lookOfOpening({ state: 'open', for_ms: 5_000 }, 100)).toEqual({ kind: 'open', until: 5_100 });
    expect(lookOfOpening({ state: 'sent' }, 0).kind).toBe('sent');
    expect(lookOfDoor(undefined).kind).toBe('offline');
  });

  it('follows the lock', () => {
    expect((['locked', 'accessed', 'unlocked', 'locked_open', 'blocked', 'locked_down'] as const).map((mode) => door(mode).kind)).toEqual(
      ['locked', 'open', 'held_open', 'held_open', 'blocked', 'locked_down'],
    );
  });
});

describe('the chip', () => {
  beforeAll(() => setLocale('en'));

  it('counts the seconds down for the eye, and says the word for the ear', () => {
    render(DoorStateChip, { look: { kind: 'open', until: performance.now() + 5_000 } });
    expect(screen.getByRole('status').textContent.replace(/\s+/g, ' ').trim()).toBe('Open Open 5 s');
  });

  it.each(['not_allowed', 'suspended', 'outside_hours', 'right_over', 'right_not_yet', 'blocked', 'interlocked', 'door_before_first', 'second_person', 'no_controller', 'offline', 'expired', 'fault', 'no_call'] satisfies RefusalCode[])(
    'says in words why: %s',
    (reason) => {
      render(DoorStateChip, { look: { kind: 'refused', reason } });
      expect(screen.getByRole('status').textContent.trim()).toMatch(/^Refused · [a-z ]{8,}$/);
    },
  );
});
