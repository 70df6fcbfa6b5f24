// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoff, CONNECT_MS, type Link, PING_MS, Signalling, SILENT_MS, socketUrl } from './signalling';

type Message = { type: string };

class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: Message[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(text: string) {
    this.sent.push(JSON.parse(text) as Message);
  }

  close(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  opens() {
    this.readyState = 1;
    this.onopen?.();
  }

  says(data: unknown) {
    this.onmessage?.({ data: typeof data === 'string' ? data : JSON.stringify(data) });
  }
}

function line() {
  const events: Message[] = [];
  const links: Link[] = [];
  const signalling = new Signalling<Message, Message>({
    url: 'ws://home/socket',
    hello: { type: 'hello' },
    ping: { type: 'ping' },
    isWelcome: ({ type }) => type === 'welcome',
    onEvent: (event) => events.push(event),
    onLink: (link) => links.push(link),
    now: () => 0,
    random: () => 0.5,
    open: (url) => new FakeSocket(url) as unknown as WebSocket,
  });
  signalling.connect();
  return { signalling, events, links };
}

const last = () => FakeSocket.all.at(-1)!;

function online() {
  const it = line();
  last().opens();
  last().says({ type: 'welcome' });
  return it;
}

beforeEach(() => {
  FakeSocket.all = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe('signalling', () => {
  it('says hello, and counts as connected once it is welcome', () => {
    const { signalling, links, events } = line();
    last().opens();
    expect(last().sent).toEqual([{ type: 'hello' }]);
    expect(signalling.send({ type: 'open' })).toBe(false);
    last().says({ type: 'welcome' });
    expect(links.map(({ phase }) => phase)).toEqual(['connecting', 'online']);
    expect(events).toEqual([{ type: 'welcome' }]);
    expect(signalling.send({ type: 'open' })).toBe(true);
  });

  it('queues nothing while it is away', () => {
    const { signalling } = online();
    last().close();
    expect(signalling.send({ type: 'open' })).toBe(false);
    vi.advanceTimersByTime(1_000);
    last().opens();
    last().says({ type: 'welcome' });
    expect(last().sent).toEqual([{ type: 'hello' }]);
  });

  it('waits longer each time, to a limit, and begins anew after a welcome', () => {
    expect([1, 2, 3, 9, 40].map((attempt) => backoff(attempt, 0.5))).toEqual([300, 600, 1_200, 10_000, 10_000]);
    expect([backoff(1, 0), backoff(1, 1)]).toEqual([225, 375]);
    const { links } = online();
    last().close();
    vi.advanceTimersByTime(300);
    last().close();
    expect(links.at(-1)).toEqual({ phase: 'waiting', attempt: 2, retryAt: 600 });
    vi.advanceTimersByTime(600);
    last().opens();
    last().says({ type: 'welcome' });
    last().close();
    expect(links.at(-1)).toMatchObject({ phase: 'waiting', attempt: 1 });
  });

  it('tries at once when told to, with one connection at a time', () => {
    const { signalling } = online();
    last().close();
    signalling.connect();
    signalling.connect();
    expect(FakeSocket.all).toHaveLength(2);
    vi.advanceTimersByTime(5_000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('pings, and takes silence for loss', () => {
    const { links } = online();
    vi.advanceTimersByTime(PING_MS);
    expect(last().sent.at(-1)).toEqual({ type: 'ping' });
    last().says({ type: 'pong' });
    vi.advanceTimersByTime(PING_MS + SILENT_MS - 1);
    expect(links.at(-1)?.phase).toBe('online');
    vi.advanceTimersByTime(1);
    expect(links.at(-1)?.phase).toBe('waiting');
  });

  it('gives up on a connection that never gets to a welcome', () => {
    const { links } = line();
    last().opens();
    vi.advanceTimersByTime(CONNECT_MS);
    expect(links.at(-1)?.phase).toBe('waiting');
  });

  it.each([
    [4001, 'replaced'],
    [4002, 'signed_out'],
    [4004, 'version'],
  ])('stays away when the server closes with %i: %s', (code, why) => {
    const { signalling, links } = online();
    last().close(code);
    vi.advanceTimersByTime(60_000);
    signalling.connect();
    expect(FakeSocket.all).toHaveLength(1);
    expect(links.at(-1)).toEqual({ phase: 'refused', why });
  });

  it('comes back by itself after every other code', () => {
    for (const code of [1001, 1006, 1008, 1012, 4000, 4003]) {
      const { links } = online();
      last().close(code);
      expect(links.at(-1)?.phase).toBe('waiting');
    }
  });

  it('takes over when a person asks for it, and only then', () => {
    const { signalling, links } = online();
    signalling.takeOver();
    expect(FakeSocket.all).toHaveLength(1);
    last().close(4001);
    signalling.takeOver();
    last().opens();
    last().says({ type: 'welcome' });
    expect(FakeSocket.all).toHaveLength(2);
    expect(links.at(-1)).toEqual({ phase: 'online' });
  });

  it('hears nothing from a connection that it gave up', () => {
    const { signalling, events } = online();
    const old = last();
    const hear = old.onmessage;
    signalling.reconnect();
    hear?.({ data: '{"type":"ring"}' });
    expect(events).toEqual([{ type: 'welcome' }]);
  });

  it('survives what is not JSON', () => {
    const { events } = online();
    last().says('{');
    last().says({ type: 'ring' });
    expect(events.at(-1)).toEqual({ type: 'ring' });
  });

  it('is closed when it is closed', () => {
    const { signalling, links } = online();
    signalling.close();
    vi.advanceTimersByTime(60_000);
    expect(links.at(-1)).toEqual({ phase: 'closed' });
    expect(FakeSocket.all).toHaveLength(1);
  });
});

it('a socket is on the page’s own origin', () => {
  expect(socketUrl('/s', { protocol: 'https:', host: 'home:8443' })).toBe('wss://home:8443/s');
  expect(socketUrl('/s', { protocol: 'http:', host: 'localhost' })).toBe('ws://localhost/s');
});
