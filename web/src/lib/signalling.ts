// One WebSocket to the server, kept alive.
//
//   connecting ──open──▶ proving ──welcome──▶ online
//       ▲                   │ lost               │ lost, or silent
//       │                   ▼                    ▼
//       └──back-off over── waiting ◀─────────────┘
//   any ──closed by the server with a reason to stay away──▶ refused ──takeOver, by a person──▶ connecting
//
// Invariants:
// - Nothing is queued. `send` says whether the message left; what matters is asked for again by the caller after
//   the next `welcome`, which holds the whole state. So nothing a person tapped long ago can happen late.
// - A connection counts once `welcome` has come; only then does the back-off start over.
// - Silence is loss: a server that stays quiet for `silentMs` after a ping is taken as gone.

import { CLOSED } from './closing';

/** Why this page must not come back by itself. */
export type Refusal = 'replaced' | 'signed_out' | 'version';

const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [CLOSED.replaced, 'replaced'],
  [CLOSED.signedOut, 'signed_out'],
  [CLOSED.version, 'version'],
]);

export type Link =
  | { phase: 'connecting' }
  | { phase: 'online' }
  | { phase: 'waiting'; attempt: number; retryAt: number }
  | { phase: 'refused'; why: Refusal }
  | { phase: 'closed' };

export interface SignallingOptions<Request, Event> {
  url: string;
  /** First message of every connection. */
  hello: Request;
  ping: Request;
  /** Whether this message proves the connection. */
  isWelcome(event: Event): boolean;
  onEvent(event: Event): void;
  onLink(link: Link): void;
  /** Monotonic milliseconds. */
  now?: () => number;
  /** 0 to 1, for the jitter. */
  random?: () => number;
  open?: (url: string) => WebSocket;
}

export const PING_MS = 20_000;
/** How long an answer to a ping may take. */
export const SILENT_MS = 8_000;
/** How long a connection may take until `welcome`. */
export const CONNECT_MS = 8_000;
const BACKOFF_FIRST_MS = 300;
const BACKOFF_MAX_MS = 10_000;

/** Wait before try number `attempt` (from 1): doubles from 0.3 s to 10 s, ±25 % so that a house does not return at once. */
export function backoff(attempt: number, random: number): number {
  const base = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (attempt - 1));
  return Math.round(base * (0.75 + 0.5 * random));
}

export class Signalling<Request, Event> {
  #options: SignallingOptions<Request, Event>;
  #socket: WebSocket | undefined;
  #link: Link = { phase: 'closed' };
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pulse: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SignallingOptions<Request, Event>) {
    this.#options = options;
  }

  get link(): Link {
    return this.#link;
  }

  /** Connects now; also cuts a back-off short, such as when the network came back. */
  connect(): void {
    if (this.#socket || this.#link.phase === 'refused') return;
    clearTimeout(this.#retry);
    this.#set({ phase: 'connecting' });
    const socket = (this.#options.open ?? ((url) => new WebSocket(url)))(this.#options.url);
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(this.#options.hello));
    socket.onmessage = (message) => this.#receive(socket, message.data);
    socket.onclose = ({ code }) => this.#closed(socket, code);
    // `close` always follows `error`, which carries nothing more.
    this.#expect(CONNECT_MS);
  }

  /** Connects although the server said to stay away: a person asked for it. */
  takeOver(): void {
    if (this.#link.phase !== 'refused') return;
    this.#attempt = 0;
    this.#link = { phase: 'closed' };
    this.connect();
  }

  /** Drops the connection and makes a new one, for a fresh `welcome`. */
  reconnect(): void {
    const socket = this.#socket;
    if (socket) this.#lost(socket);
  }

  /** Sends, if connected. `false`: it did not leave, and never will. */
  send(request: Request): boolean {
    if (this.#link.phase !== 'online' || this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(request));
    return true;
  }

  /** Ends for good. */
  close(): void {
    clearTimeout(this.#retry);
    this.#drop();
    this.#set({ phase: 'closed' });
  }

  #receive(socket: WebSocket, data: unknown): void {
    if (socket !== this.#socket || typeof data !== 'string') return;
    let event: Event;
    try {
      event = JSON.parse(data) as Event;
    } catch {
      return; // Not this protocol: the rules say that it counts for that message alone.
    }
    if (this.#options.isWelcome(event)) {
      this.#attempt = 0;
      this.#set({ phase: 'online' });
    }
    if (this.#link.phase === 'online') this.#schedulePing();
    this.#options.onEvent(event);
  }

  #schedulePing(): void {
    clearTimeout(this.#pulse);
    this.#pulse = setTimeout(() => {
      if (this.send(this.#options.ping)) this.#expect(SILENT_MS);
    }, PING_MS);
  }

  #expect(within: number): void {
    clearTimeout(this.#pulse);
    this.#pulse = setTimeout(() => this.reconnect(), within);
  }

  #closed(socket: WebSocket, code: number): void {
    const why = REFUSALS.get(code);
    if (why === undefined) return this.#lost(socket);
    if (socket !== this.#socket) return;
    this.#drop();
    this.#set({ phase: 'refused', why });
  }

  #lost(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#drop();
    this.#attempt += 1;
    const wait = backoff(this.#attempt, (this.#options.random ?? Math.random)());
    const now = (this.#options.now ?? (() => performance.now()))();
    this.#set({ phase: 'waiting', attempt: this.#attempt, retryAt: now + wait });
    this.#retry = setTimeout(() => this.connect(), wait);
  }

  #drop(): void {
    clearTimeout(this.#pulse);
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #set(link: Link): void {
    this.#link = link;
    this.#options.onLink(link);
  }
}

/** The address of a socket on this origin. */
export function socketUrl(path: string, location: { protocol: string; host: string }): string {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${path}`;
}
