import { beforeEach, expect, it, vi } from 'vitest';
import { RELOAD_EVERY_MS, reloadForNewVersion } from './closing';

beforeEach(() => sessionStorage.clear());

it('loads the page again once, and after a while once more', () => {
  const reload = vi.fn();
  expect(reloadForNewVersion(5_000, reload)).toBe(true);
  expect(reloadForNewVersion(5_001, reload)).toBe(false);
  expect(reloadForNewVersion(5_000 + RELOAD_EVERY_MS - 1, reload)).toBe(false);
  expect(reload).toHaveBeenCalledTimes(1);
  expect(reloadForNewVersion(5_000 + RELOAD_EVERY_MS, reload)).toBe(true);
  expect(reload).toHaveBeenCalledTimes(2);
});

it('is not held up by a clock that was set back', () => {
  const reload = vi.fn();
  reloadForNewVersion(RELOAD_EVERY_MS * 9, reload);
  expect(reloadForNewVersion(0, reload)).toBe(true);
});
