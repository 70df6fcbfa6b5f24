// The signed-in app: ties the server's messages, the media of each call, the bell and the resident's taps together.
// What is true stands in `house.ts`; here is what has to be done about it.

import type { AppEvent, AppRequest } from '../api/wire';
import { reloadForNewVersion } from '../lib/closing';
import { type Link, Signalling, socketUrl } from '../lib/signalling';
import { microphone } from '../lib/rtc';
import { Bell } from './bell';
import * as house from './house';
import { Line } from './line.svelte';
import { requestId } from './request-id';
import { Wake } from './wake';

const PROTOCOL = 1;
/** How often the media of a call is tried again, by a fresh `welcome` with a new join token. */
const MEDIA_TRIES = 3;
const MEDIA_RETRY_MS = 2_000;
const COUNTDOWN_MS = 250;

export type Microphone = 'off' | 'asking' | 'on' | 'muted' | 'denied' | 'absent' | 'insecure';

export class Home {
  house = $state.raw<house.House>(house.EMPTY);
  link = $state.raw<Link>({ phase: 'connecting' });
  /** The monotonic clock, for countdowns. */
  now = $state(performance.now());
  microphone = $state<Microphone>('off');
  bellBlocked = $state(false);
  /** By call. */
  lines = $state.raw<ReadonlyMap<string, Line>>(new Map());
  /** Calls whose picture the resident switched off. */
  pictureOff = $state.raw<ReadonlySet<string>>(new Set());
  /** Calls that ring or talk, and the words about those just over. */
  shown = $derived(this.house.calls.filter((call) => !(call.declined && call.phase !== 'connected')));

  #signalling: Signalling<AppRequest, AppEvent>;
  #bell = new Bell((blocked) => (this.bellBlocked = blocked));
  #wake = new Wake();
  #microphone: MediaStream | undefined;
  #mediaTries = new Map<string, number>();
  #next: ReturnType<typeof setTimeout> | undefined;
  #onSignedOut: () => void;
  #checkSession: () => Promise<boolean>;

  /** `checkSession` asks whether this device is still signed in: a refused WebSocket does not say why. */
  constructor(checkSession: () => Promise<boolean>, onSignedOut: () => void) {
    this.#checkSession = checkSession;
    this.#onSignedOut = onSignedOut;
    this.#signalling = new Signalling({
      url: socketUrl('/api/v1/app/socket', location),
      hello: { type: 'hello', protocol: PROTOCOL },
      ping: { type: 'ping' },
      isWelcome: (event) => event.type === 'welcome',
      onEvent: (event) => this.#receive(event),
      onLink: (link) => this.#linked(link)
    });
  }

  /** Runs until the returned function is called. */
  start(): () => void {
    const online = () => this.#signalling.connect();
    const visible = () => {
      if (document.visibilityState !== 'visible') return;
      this.#signalling.connect();
      void this.#wake.refresh();
    };
    const arm = () => void this.#bell.arm();
    addEventListener('online', online);
    document.addEventListener('visibilitychange', visible);
    addEventListener('pointerdown', arm);
    addEventListener('keydown', arm);
    this.#signalling.connect();
    return () => {
      removeEventListener('online', online);
      document.removeEventListener('visibilitychange', visible);
      removeEventListener('pointerdown', arm);
      removeEventListener('keydown', arm);
      clearTimeout(this.#next);
      this.#signalling.close();
      this.#bell.stop();
      this.#wake.want(false);
      this.#release();
      for (const line of this.lines.values()) line.close();
    };
  }

  get online(): boolean {
    return this.link.phase === 'online';
  }

  // ----- what the resident does

  openDoor(door: string, call?: string): void {
    const request = requestId();
    const sent = this.#signalling.send({ type: 'open', request, door, ...(call && { call }) });
    if (sent) this.#put(house.ask(this.house, door, request, call, performance.now()));
  }

  answer(id: string): void {
    for (const other of this.house.calls) {
      if (other.phase === 'connected' && other.call !== id) this.hangUp(other.call);
    }
    if (!this.#signalling.send({ type: 'accept', call: id })) return;
    this.#put(house.answering(this.house, id));
    void this.#speak();
  }

  decline(id: string): void {
    this.#signalling.send({ type: 'decline', call: id });
    this.#put(house.dismiss(this.house, id));
  }

  hangUp(id: string): void {
    this.#signalling.send({ type: 'hang_up', call: id });
  }

  close(id: string): void {
    this.#put(house.dismiss(this.house, id));
  }

  mute(muted: boolean): void {
    if (this.microphone !== 'on' && this.microphone !== 'muted') return;
    this.microphone = muted ? 'muted' : 'on';
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  picture(id: string, on: boolean): void {
    if (!this.#signalling.send({ type: 'video', call: id, on })) return;
    const off = new Set(this.pictureOff);
    if (on) off.delete(id);
    else off.add(id);
    this.pictureOff = off;
  }

  /** Asks for the microphone again, such as after it was allowed in the browser's settings. */
  retryMicrophone(): void {
    void this.#speak();
  }

  retryConnection(): void {
    this.#signalling.connect();
  }

  /** Klinke is used in this window from now on, and not in the other. */
  takeOver(): void {
    this.#signalling.takeOver();
  }

  hearBell(): void {
    void this.#bell.arm();
  }

  // ----- what the server says

  #receive(event: AppEvent): void {
    this.#put(house.receive(this.house, event, performance.now()));
    if (event.type === 'welcome') {
      for (const call of event.calls) if (call.state === 'ringing') this.#rings(call.call);
    } else if (event.type === 'ring') {
      this.#rings(event.call.call);
    } else if (event.type === 'answer') {
      this.lines.get(event.call)?.answered(event.sdp);
    }
  }

  #rings(call: string): void {
    this.#signalling.send({ type: 'ringing', call });
  }

  #linked(link: Link): void {
    const lost = this.link.phase === 'online' && link.phase === 'waiting';
    this.link = link;
    if (lost) this.#put(house.lose(this.house, performance.now()));
    if (link.phase === 'refused') {
      // Calls go on in the other window, or nowhere; here nothing is known of them any more.
      this.#put({ ...this.house, calls: [], openings: new Map() });
      if (link.why === 'signed_out') this.#onSignedOut();
      if (link.why === 'version') reloadForNewVersion();
    }
    if (link.phase === 'waiting') {
      void this.#checkSession().then((signedIn) => {
        if (!signedIn) this.#onSignedOut();
      });
    }
  }

  // ----- what follows from it

  #put(next: house.House): void {
    this.house = next;
    this.now = performance.now();
    this.#lines();
    const ringing = next.calls.some((call) => call.phase === 'ringing' && !call.silent && !call.declined && !call.answering);
    if (ringing) this.#bell.start();
    else this.#bell.stop();
    this.#wake.want(next.calls.some(house.isLive));
    if (!next.calls.some((call) => call.phase === 'connected' || call.answering)) this.#release();
    else if (this.microphone === 'off' && next.calls.some((call) => call.phase === 'connected')) {
      // Connected without a tap here: the page was reloaded during the call. The browser remembers its consent.
      void this.#speak();
    }
    this.#schedule();
  }

  /** One line for each live call and its newest join token. */
  #lines(): void {
    const next = new Map<string, Line>();
    for (const call of this.house.calls) {
      if (!house.isLive(call) || (call.declined && call.phase === 'ringing')) continue;
      const before = this.lines.get(call.call);
      next.set(call.call, before?.join === call.join ? before : this.#join(call.call, call.join));
    }
    for (const [call, line] of this.lines) if (next.get(call) !== line) line.close();
    if (next.size !== this.lines.size || [...next].some(([call, line]) => this.lines.get(call) !== line)) {
      this.lines = next;
      const off = [...this.pictureOff].filter((call) => next.has(call));
      if (off.length !== this.pictureOff.size) this.pictureOff = new Set(off);
    }
  }

  #join(call: string, join: string): Line {
    const line = new Line(
      join,
      (sdp) => this.#signalling.send({ type: 'offer', call, join, sdp }),
      () => this.#retryMedia(call, line)
    );
    const track = this.#microphone?.getAudioTracks()[0];
    if (track && this.house.calls.some((c) => c.call === call && c.phase === 'connected')) line.speak(track);
    return line;
  }

  #retryMedia(call: string, line: Line): void {
    const tries = this.#mediaTries.get(call) ?? 0;
    if (tries >= MEDIA_TRIES) return;
    this.#mediaTries.set(call, tries + 1);
    setTimeout(() => {
      // Only if nothing newer took its place, and the connection is not already being made anew.
      if (this.lines.get(call) === line && this.online) this.#signalling.reconnect();
    }, MEDIA_RETRY_MS);
  }

  async #speak(): Promise<void> {
    if (this.microphone === 'asking' || this.microphone === 'on' || this.microphone === 'muted') return;
    this.microphone = 'asking';
    const result = await microphone();
    const call = this.house.calls.find((c) => c.phase === 'connected' || c.answering);
    if (!result.ok) {
      this.microphone = call ? result.why : 'off';
      return;
    }
    if (!call) {
      for (const track of result.stream.getTracks()) track.stop();
      this.microphone = 'off';
      return;
    }
    this.#microphone = result.stream;
    this.microphone = 'on';
    this.lines.get(call.call)?.speak(result.track);
  }

  #release(): void {
    if (this.microphone === 'asking') return; // `#speak` looks for itself when the browser answers.
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#microphone = undefined;
    this.microphone = 'off';
  }

  /** Countdowns move while there are any; what is over goes. */
  #schedule(): void {
    clearTimeout(this.#next);
    if (house.nextTick(this.house) === undefined && !this.house.calls.some(house.isLive)) return;
    this.#next = setTimeout(() => {
      const now = performance.now();
      const next = house.tick(this.house, now);
      if (next !== this.house) return this.#put(next);
      this.now = now;
      this.#schedule();
    }, COUNTDOWN_MS);
  }
}
