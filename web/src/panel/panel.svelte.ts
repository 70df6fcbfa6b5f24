/**
 * One running panel: joins the pure state with the connection, the media, the sounds and the clock.
 * Every change goes through `do`; what follows from a change (messages, media, sounds) follows here.
 */
import type { Directory, PanelEvent, PanelId, PresentedPass, RequestId } from '../api/wire';
import { locale, setLocale, type Locale } from '../lib/i18n';
import { loadIdentity, publicKey, saveIdentity, sign, type Identity } from './key';
import { PanelLink } from './link';
import { PanelMedia, type Equipment } from './media';
import { pair, redeem, type PairingView } from './pairing';
import { CALLING_EVERY_MS, LAST_WORDS_MS, soundOf, Speaker, type Sound } from './sounds';
import { initial, mediaCall, reduce, type PanelAction, type PanelState, type Target } from './state';

/** Where this browser keeps the names that it showed last. */
const SNAPSHOT = 'klinke.panel.directory';
const TICK_MS = 250;
/** When what is not needed to ring is fetched, after the start, ms. */
const LATER_MS = 4_000;
/** Steps of the loudness. */
export const VOLUME_STEPS = 10;

export class Panel {
  state: PanelState = $state.raw(initial(snapshot(), performance.now()));
  /** Set while this panel is not known to the server. */
  pairing: PairingView | { is: 'insecure' } | undefined = $state.raw();
  /** The same panel runs in another window. */
  elsewhere = $state(false);
  equipment: Equipment = $state('opening');
  /** The clock of the deadlines in `state`, ms. */
  now = $state(performance.now());
  /** The time of day. */
  clock = $state(new Date());
  /** Loudness of the resident, 1 to `VOLUME_STEPS`. */
  volume = $state(8);

  /** Hears every message too: the screen for passes, which the others know nothing of. */
  onevent: ((event: PanelEvent) => void) | undefined;

  readonly #speaker = new Speaker();
  readonly #media = new PanelMedia({
    equipment: (equipment) => (this.equipment = equipment),
    offer: (call, sdp) => this.#link?.send({ type: 'offer', call, sdp }),
  });
  #link: PanelLink | undefined;
  /** The locale that the panel goes back to after a visitor chose another. */
  #ownLocale = locale();
  #strokeAt = 0;

  get stream(): MediaStream {
    return this.#media.stream;
  }

  async start(): Promise<void> {
    setInterval(() => this.#tick(), TICK_MS);
    window.addEventListener('online', () => this.#link?.hurry());
    this.#media.volume = this.volume / VOLUME_STEPS;
    void this.#media.open();
    if (!window.isSecureContext) {
      this.pairing = { is: 'insecure' };
      return;
    }
    const identity = await loadIdentity();
    const key = await publicKey(identity);
    const ticket = takeTicket();
    const redeemed = ticket === undefined ? undefined : await redeem(key, ticket);
    if (redeemed !== undefined) await this.#claimed(identity, redeemed);
    if (identity.panel === undefined) await this.#pair(identity, key);
    else this.#connect(identity, identity.panel);
  }

  /** Instead of `start`: shows what our own page around it says, and does nothing. For an administrator's preview. */
  show(): void {
    onmessage = ({ origin, source, data }) => {
      if (origin !== location.origin || source !== parent) return;
      const { directory, large, dark } = data as { directory: Directory; large: boolean; dark: boolean };
      document.documentElement.dataset.theme = dark ? 'dark' : 'light';
      this.equipment = 'ready';
      this.state = { ...initial(directory, performance.now()), link: 'online', large, awake: large };
    };
    parent.postMessage('preview', location.origin);
  }

  do(action: PanelAction): void {
    const before = this.state;
    const [after, requests] = reduce(before, action, performance.now());
    this.state = after;
    for (const request of requests) this.#link?.send(request);
    const sound = soundOf(before, after);
    if (sound) this.#play(sound);
    this.#follow(before, after);
  }

  ring(target: Target): void {
    const request: RequestId = crypto.randomUUID();
    this.do({ do: 'ring', target, request });
  }

  /** Shows a pass or a code to the server; false when it can not be sent. */
  present(pass: PresentedPass, request: RequestId): boolean {
    this.do({ do: 'touch' });
    return this.#link?.send({ type: 'present', request, pass }) ?? false;
  }

  /** A touch on a key of the screen. */
  key(): void {
    this.#play('key');
  }

  /** Asks for camera and microphone. */
  allowMedia(): void {
    void this.#media.open(true);
  }

  setVolume(volume: number): void {
    this.volume = Math.min(VOLUME_STEPS, Math.max(1, volume));
    this.#media.volume = this.volume / VOLUME_STEPS;
  }

  /** How loud the resident speaks just now, 0 to 1. */
  level(): number {
    return this.#media.level();
  }

  /** A visitor's choice lasts until the panel is idle; that of an installer, while it is paired, for good. */
  choose(next: Locale): void {
    const installing = this.pairing !== undefined;
    if (installing) this.#ownLocale = next;
    void setLocale(next, { remember: installing });
    this.do({ do: 'touch' });
  }

  #follow(before: PanelState, after: PanelState): void {
    const call = mediaCall(after);
    if (call !== mediaCall(before)) {
      if (call === undefined) this.#media.close();
      else void this.#media.publish(call);
    }
    this.#media.hear(after.visit.at === 'connected');
    if (before.awake && !after.awake && locale() !== this.#ownLocale) void setLocale(this.#ownLocale, { remember: false });
    if (after.directory !== before.directory && after.directory) {
      localStorage.setItem(SNAPSHOT, JSON.stringify(after.directory));
    }
  }

  #play(sound: Sound): void {
    if (sound === 'calling') this.#strokeAt = performance.now();
    this.#speaker.play(sound);
  }

  #tick(): void {
    const before = this.now;
    this.do({ do: 'tick' });
    const { visit, awake } = this.state;
    const now = performance.now();
    if (awake) this.now = now;
    const clock = new Date();
    if (clock.getMinutes() !== this.clock.getMinutes()) this.clock = clock;
    if (visit.at === 'calling' && now - this.#strokeAt >= CALLING_EVERY_MS) this.#play('calling');
    if (visit.at === 'connected') {
      const last = visit.until - LAST_WORDS_MS;
      if (before < last && last <= now) this.#play('warning');
    }
  }

  #connect(identity: Identity, panel: PanelId): void {
    const { protocol, host } = location;
    const url = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/api/v1/panel/socket`;
    const proof = { panel, sign: (text: string) => sign(identity, text) };
    this.#link = new PanelLink(url, proof, {
      event: (event) => {
        const held = mediaCall(this.state);
        this.do({ do: 'event', event });
        this.onevent?.(event);
        if (event.type === 'answer') void this.#media.answer(event.call, event.sdp);
        // The offer of a call that goes on may have been lost with the connection.
        const resumed = event.type === 'welcome' && held !== undefined && held === mediaCall(this.state);
        if (resumed && !this.#media.alive) void this.#media.publish(held);
      },
      lost: () => this.do({ do: 'lost' }),
      unknown: () => void this.#forgotten(identity),
      replaced: () => this.#replaced(),
    });
    this.#link.start();
    // there when a visitor wants it, also if the server is away by then, or a newer one with other files
    setTimeout(() => void import('./pass/Pass.svelte').catch(() => undefined), LATER_MS);
  }

  /** Calls go on in the other window. */
  #replaced(): void {
    this.elsewhere = true;
    this.state = initial(this.state.directory, performance.now());
    this.#media.close();
  }

  /** This window is the panel from now on, and not the other. */
  takeOver(): void {
    this.elsewhere = false;
    this.#link?.start();
  }

  /** The server does not know this panel any more: its names are not for this screen either. */
  async #forgotten(identity: Identity): Promise<void> {
    localStorage.removeItem(SNAPSHOT);
    this.state = initial(undefined, performance.now());
    this.#media.close();
    await this.#pair(identity, await publicKey(identity));
  }

  async #pair(identity: Identity, key: string): Promise<void> {
    this.pairing = { is: 'preparing' };
    await this.#claimed(identity, await pair(key, (view) => (this.pairing = view)));
    this.pairing = undefined;
    if (identity.panel !== undefined) this.#connect(identity, identity.panel);
  }

  async #claimed(identity: Identity, panel: PanelId): Promise<void> {
    identity.panel = panel;
    await saveIdentity(identity);
  }
}

function snapshot(): Directory | undefined {
  try {
    return JSON.parse(localStorage.getItem(SNAPSHOT) ?? '') as Directory;
  } catch {
    return undefined;
  }
}

/** The one-time ticket of the address, which then leaves the address. */
function takeTicket(): string | undefined {
  const ticket = new URLSearchParams(location.hash.slice(1)).get('ticket');
  if (ticket === null) return undefined;
  history.replaceState(null, '', location.pathname + location.search);
  return ticket;
}
