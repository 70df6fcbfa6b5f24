import { render, screen } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Controller, Wiring } from '../../api/http';
import { setLocale } from '../../lib/i18n';
import RightsAge from './RightsAge.svelte';
import { cannotHold, withoutPower } from './wiring';

const WIRING: Wiring = { lock: 'fail_safe', holds: true, handed_on: false, contact: true, exit_button: false, fire_input: false };
const NOW = Date.parse('2026-11-22T12:00:00Z');
const CONTROLLER: Controller = { id: 'c', name: 'Basement', online: true, alone_too_long: false };
const MINUTE = 60_000;

beforeAll(() => setLocale('en'));

describe('the wiring of a door', () => {
  it('says what the lock does without power, and that nobody told', () => {
    expect(withoutPower(WIRING)).toBe('Unlocks');
    expect(withoutPower({ ...WIRING, lock: 'fail_secure' })).toBe('Stays locked');
    expect(withoutPower(undefined)).toBe('Not told');
    const { lock: _, ...other } = WIRING;
    expect(withoutPower({ ...other, handed_on: true, holds: false })).toBe('Another system knows');
  });

  it('says why a door can not stand open, and nothing where it can or nobody told', () => {
    expect(cannotHold(WIRING)).toBeUndefined();
    expect(cannotHold(undefined)).toBeUndefined();
    expect(cannotHold({ ...WIRING, holds: false })).toMatch(/timer/);
    expect(cannotHold({ ...WIRING, holds: false, handed_on: true })).toMatch(/Another system/);
  });
});

describe('how old rights are', () => {
  function words(controller: Partial<Controller>): string {
    vi.spyOn(Date, 'now').mockReturnValue(NOW);
    const { container, unmount } = render(RightsAge, { controller: { ...CONTROLLER, ...controller } });
    const said = container.textContent.replace(/\s+/g, ' ').trim();
    unmount();
    return said;
  }
  const rights = (ago: number) => ({ issued: NOW - 90 * MINUTE, confirmed: NOW - ago });

  it('says when they were confirmed, in the largest unit that says enough', () => {
    expect(words({ rights: rights(0) })).toMatch(/^Rights from .*, confirmed now\.$/);
    expect(words({ rights: rights(3 * MINUTE) })).toContain('confirmed 3 minutes ago');
    expect(words({ rights: rights(130 * MINUTE) })).toContain('confirmed 2 hours ago');
    expect(words({ rights: rights(3 * 1_440 * MINUTE) })).toContain('confirmed 3 days ago');
    expect(words({ rights: { issued: NOW } })).not.toContain('confirmed');
    expect(words({})).toBe('No rights yet.');
  });

  it('says since when it is away, and what a day alone has ended', () => {
    const away = words({ online: false, offline_since: NOW - 26 * 60 * MINUTE, rights: rights(26 * 60 * MINUTE), alone_too_long: true });
    expect(away).toMatch(/^Offline at least since .*Residents’ cards work\.$/);
    expect(words({ online: false, offline_since: NOW })).not.toContain('No rights yet');
    expect(screen.queryByText(/have ended/)).toBeNull();
  });
});
