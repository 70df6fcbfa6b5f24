/**
 * The panel's connection to the server: proves the panel's key, stays up, and comes back when it is lost.
 *
 * ```text
 *   closed ──open──▶ waiting ──challenge──▶ proving ──welcome──▶ proven
 *     ▲                 │                      │                   │
 *     └──── back-off ◀──┴──────────────────────┴── lost, silent ◀──┘
 * ```
 *
 * Nothing is queued: a message that can not go now is not sent, and `welcome` brings the whole state.
 * Where the server says to stay away (another window took over, the key is not known), the link stops.
 */
import { CLOSED, reloadForNewVersion } from '../lib/closing';
import { SIGNALLING, type PanelEvent, type PanelId, type PanelRequest } from '../api/wire';

/** How often the panel says that it is here, ms. */
export const PING_MS = 10_000;
/** Silence after which the connection counts as dead, ms. */
export const SILENCE_MS = 25_000;
const BACKOFF_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000] as const;

export interface LinkEvents {
  /** Every message, from `welcome` on. */
  event(event: PanelEvent): void;
  /** The connection was lost, or did not come about. Told at each try. */
  lost(): void;
  /** The server does not know this panel's key. The link has stopped. */
  unknown(): void;
  /** The same panel runs in another window. The link has stopped; `start` takes over. */
  replaced(): void;
}

export interface Proof {
  panel: PanelId;
  sign(text: string): Promise<string>;
}

/** What a panel signs: this protocol, this panel, this connection. */
export function challengeText(panel: PanelId, nonce: string): string {
  return `klinke-panel-v1:${panel}:${nonce}`;
}

export class PanelLink {
  #socket: WebSocket | undefined;
  #proven = false;
  #failures = 0;
  #refusals = 0;
  #stopped = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly url: string,
    private readonly proof: Proof,
    private readonly on: LinkEvents,
  ) {}

  start(): void {
    this.#stopped = false;
    this.#refusals = 0;
    this.#open();
  }

  stop(): void {
    this.#stopped = true;
    this.#close();
  }

  /** Tries now instead of after the back-off: the network is back. */
  hurry(): void {
    if (this.#retry === undefined) return;
    this.#failures = 0;
    this.#open();
  }

  /** Sends when the panel is proven; false when it is not. */
  send(request: PanelRequest): boolean {
    if (!this.#proven || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(request));
    return true;
  }

  #open(): void {
    this.#close();
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#receive(socket, data);
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#closed(code);
    };
    this.#listen();
  }

  #receive(socket: WebSocket, data: unknown): void {
    const event = parse(data);
    if (!event) return;
    this.#listen();
    switch (event.type) {
      case 'challenge':
        void this.#prove(socket, event.nonce);
        return;
      case 'welcome':
        this.#proven = true;
        this.#failures = 0;
        this.#refusals = 0;
        clearInterval(this.#ping);
        this.#ping = setInterval(() => this.send({ type: 'ping' }), PING_MS);
        this.on.event(event);
        return;
      default:
        this.on.event(event);
    }
  }

  async #prove(socket: WebSocket, nonce: string): Promise<void> {
    const { panel } = this.proof;
    const signature = await this.proof.sign(challengeText(panel, nonce));
    if (socket !== this.#socket || socket.readyState !== WebSocket.OPEN) return;
    const hello: PanelRequest = { type: 'hello', protocol: SIGNALLING, panel, signature };
    socket.send(JSON.stringify(hello));
  }

  /** A socket can be dead without knowing it (a pulled cable): silence ends it. */
  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost(), SILENCE_MS);
  }

  #closed(code: number): void {
    // One refusal may be of a proof that came late; two in a row are an answer.
    if (code === CLOSED.notProven) this.#refusals += 1;
    if (code === CLOSED.signedOut || this.#refusals >= 2) {
      this.stop();
      this.on.unknown();
    } else if (code === CLOSED.replaced) {
      this.stop();
      this.on.replaced();
    } else {
      if (code === CLOSED.version) reloadForNewVersion();
      this.#lost();
    }
  }

  #lost(): void {
    this.#close();
    if (this.#stopped) return;
    this.on.lost();
    const longest = BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)] ?? 0;
    this.#failures += 1;
    // Spread, so that the panels of a town do not all come back in the same moment.
    this.#retry = setTimeout(() => this.#open(), longest * (0.5 + Math.random() / 2));
  }

  #close(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    clearInterval(this.#ping);
    this.#retry = undefined;
    this.#proven = false;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}

/** A message of this protocol; one of a newer server that this page does not know is left alone. */
function parse(data: unknown): PanelEvent | undefined {
  try {
    const message: unknown = JSON.parse(String(data));
    return typeof message === 'object' && message !== null && 'type' in message ? (message as PanelEvent) : undefined;
  } catch {
    return undefined;
  }
}
