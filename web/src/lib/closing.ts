// What the server means when it closes a WebSocket. Every other code means "come back".

export const CLOSED = {
  /** The same device opened another connection, such as in a second window: do not come back by yourself. */
  replaced: 4001,
  /** The device was signed out, or the panel's key replaced. */
  signedOut: 4002,
  /** The first message was wrong, late or not proven. */
  notProven: 4003,
  /** This page is of a version that the server does not speak. */
  version: 4004,
} as const;

const RELOADED = 'klinke.reloaded';
/** The least time between two reloads, ms: where the new page is of the old version too, this is no loop. */
export const RELOAD_EVERY_MS = 10 * 60_000;

/** Loads the page again, for there may be a newer one. `false`: that was tried just now, and did not help. */
export function reloadForNewVersion(now = Date.now(), reload = () => location.reload()): boolean {
  const before = Number(sessionStorage.getItem(RELOADED) ?? -Infinity);
  // also when the clock was set back
  if (Math.abs(now - before) < RELOAD_EVERY_MS) return false;
  sessionStorage.setItem(RELOADED, String(now));
  reload();
  return true;
}
