// The token of a guest's link. It stands behind the `#`, so no server's log has it; it is taken out of the address at once, and
// kept for this tab alone, so that a reload goes on.

const KEPT = 'klinke.guest';

/** The token of the address, else the one of this tab. */
export function takeToken(): string | undefined {
  // some mail programs take the full stop behind a link for a part of it
  const given = /^#([A-Za-z2-7]{52})(?![A-Za-z0-9])/.exec(location.hash)?.[1]?.toUpperCase();
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
  try {
    if (given) sessionStorage.setItem(KEPT, given);
    return given ?? sessionStorage.getItem(KEPT) ?? undefined;
  } catch {
    // a browser that keeps nothing: the page lives until it is closed
    return given;
  }
}

export function forgetToken(): void {
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // nothing was kept
  }
}
