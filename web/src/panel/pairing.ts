/**
 * How a new panel becomes known: it sends its public key, shows the code it gets, and waits until an
 * administrator has typed the code. With a one-time ticket in its address it claims its place at once.
 */
import type { PanelId } from '../api/wire';

/** What the pairing screen shows. */
export type PairingView =
  | { is: 'preparing' }
  | { is: 'code'; code: string }
  /** The service has no owner yet. */
  | { is: 'not_set_up' }
  | { is: 'unreachable' };

interface Pairing {
  pairing: string;
  secret: string;
  code: string;
  expires_s: number;
}

interface PairingState {
  state: 'waiting' | 'claimed' | 'expired';
  panel?: PanelId;
}

const PAIRINGS = '/api/v1/panel-pairings';
/** How often the panel asks whether it was claimed, ms. */
const POLL_MS = 2_000;
/** How long it waits after a failure, ms. */
const RETRY_MS = 5_000;

/** A request that the server answered, but not as asked. */
class Refused extends Error {
  constructor(
    readonly status: number,
    readonly waitMs: number,
  ) {
    super(`the server answered ${status}`);
  }
}

/** Claims with a ticket; nothing when the ticket is used up or unknown, or the server did not answer. */
export async function redeem(publicKey: string, ticket: string): Promise<PanelId | undefined> {
  try {
    const { pairing, secret } = await request<Pairing>(PAIRINGS, {}, { public_key: publicKey });
    const proof = { 'Klinke-Pairing-Secret': secret };
    return (await request<{ panel: PanelId }>(`${PAIRINGS}/${pairing}/ticket`, proof, { ticket })).panel;
  } catch {
    return undefined;
  }
}

/** Shows codes until one of them is claimed. */
export async function pair(publicKey: string, show: (view: PairingView) => void): Promise<PanelId> {
  for (;;) {
    try {
      const panel = await offer(publicKey, show);
      if (panel !== undefined) return panel;
    } catch (error) {
      show({ is: error instanceof Refused && error.status === 503 ? 'not_set_up' : 'unreachable' });
      await pause(error instanceof Refused ? error.waitMs : RETRY_MS);
    }
  }
}

/** One code: the panel's id once it is claimed, nothing when it has expired. */
async function offer(publicKey: string, show: (view: PairingView) => void): Promise<PanelId | undefined> {
  const { pairing, secret, code } = await request<Pairing>(PAIRINGS, {}, { public_key: publicKey });
  show({ is: 'code', code });
  for (;;) {
    await pause(POLL_MS);
    const { state, panel } = await request<PairingState>(`${PAIRINGS}/${pairing}`, { 'Klinke-Pairing-Secret': secret });
    if (state === 'claimed' && panel !== undefined) return panel;
    if (state !== 'waiting') return undefined;
  }
}

async function request<T>(path: string, headers: Record<string, string>, body?: object): Promise<T> {
  const init: RequestInit =
    body === undefined
      ? { headers }
      : { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(path, init);
  if (!response.ok) throw new Refused(response.status, retryAfter(response));
  return (await response.json()) as T;
}

function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get('Retry-After'));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : RETRY_MS;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
