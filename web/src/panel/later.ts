/**
 * The screen for passes, whose script is not needed to ring. It is fetched once the panel is at rest, so that it is there when a
 * visitor wants it, also when the server is away or a newer one by then.
 */
import { reloadForNewVersion } from '../lib/closing';

export const passScreen = () => import('./pass/Pass.svelte').catch(missing);

/** Fetches it now; when it does not come, it comes when it is wanted. */
export function fetchAhead(): void {
  import('./pass/Pass.svelte').catch(() => undefined);
}

/** A newer server has other files: its page knows them. Without a server the page must stay as it is. */
async function missing(error: unknown): Promise<never> {
  const there = await fetch(location.pathname, { method: 'HEAD', cache: 'no-store' }).then(({ ok }) => ok, () => false);
  if (there) reloadForNewVersion();
  throw error;
}
