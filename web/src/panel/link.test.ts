import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PanelEvent, PanelRequest } from '../api/wire';
import { challengeText, PanelLink, PING_MS, SILENCE_MS } from './link';

/** A socket whose other end is this test. */
class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = FakeSocket.OPEN;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: PanelRequest[] = [];

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(data: string) {
    this.sent.push(JSON.parse(data) as PanelRequest);
  }

  close() {
    this.readyState = 3;
  }

  receive(event: object) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }

  drop(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const WELCOME = {
  type: 'welcome',
  protocol: 1,
  directory: { revision: '1', building: 'B', address: 'S', panel: 'P', bells: [] },
};

let events: PanelEvent[];
let lost: number;
let unknown: number;
let replaced: number;
let link: PanelLink;

const socket = () => {
  const last = FakeSocket.all.at(-1);
  if (!last) throw new Error('no socket was opened');
  return last;
};

async function welcomed() {
  socket().receive({ type: 'challenge', protocol: 1, nonce: 'n1' });
  await vi.advanceTimersByTimeAsync(0);
  socket().receive(WELCOME);
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.spyOn(Math, 'random').mockReturnValue(1);
  FakeSocket.all = [];
  events = [];
  lost = 0;
  unknown = 0;
  replaced = 0;
  link = new PanelLink(
    'ws://door/socket',
    { panel: 'p1', sign: (text) => Promise.resolve(`signed ${text}`) },
    {
      event: (event) => events.push(event),
      lost: () => (lost += 1),
      unknown: () => (unknown += 1),
      replaced: () => (replaced += 1),
    },
  );
  link.start();
});

afterEach(() => {
  link.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('the link', () => {
  it('proves the key over this very challenge, and only then speaks', async () => {
    expect(link.send({ type: 'ping' })).toBe(false);
    await welcomed();
    const signature = `signed ${challengeText('p1', 'n1')}`;
    expect(socket().sent).toEqual([{ type: 'hello', protocol: 1, panel: 'p1', signature }]);
    expect(challengeText('p1', 'n1')).toBe('klinke-panel-v1:p1:n1');
    expect(events.map((event) => event.type)).toEqual(['welcome']);
    expect(link.send({ type: 'hang_up', call: 'c' })).toBe(true);
  });

  it('comes back with growing pauses, and starts over after a welcome', async () => {
    await welcomed();
    for (const pause of [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      const count = FakeSocket.all.length;
      socket().drop();
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(FakeSocket.all).toHaveLength(count);
      await vi.advanceTimersByTimeAsync(1);
      expect(FakeSocket.all).toHaveLength(count + 1);
    }
    expect(lost).toBe(7);
    await welcomed();
    socket().drop();
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.all).toHaveLength(9);
  });

  it('says that it is here, and gives up a connection that is silent', async () => {
    await welcomed();
    await vi.advanceTimersByTimeAsync(PING_MS);
    expect(socket().sent.at(-1)).toEqual({ type: 'ping' });
    socket().receive({ type: 'pong' });
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
    expect(lost).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(lost).toBe(1);
  });

  it('tries at once when the network is back', async () => {
    await welcomed();
    socket().drop();
    link.hurry();
    expect(FakeSocket.all).toHaveLength(2);
    // A connection that stands is left alone.
    link.hurry();
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('stops when the server does not know the key', async () => {
    socket().drop(4003);
    expect(unknown).toBe(0);
    await vi.advanceTimersByTimeAsync(500);
    socket().drop(4003);
    expect(unknown).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('forgets one late proof when the next is taken', async () => {
    socket().drop(4003);
    await vi.advanceTimersByTimeAsync(500);
    await welcomed();
    socket().drop(4003);
    expect(unknown).toBe(0);
  });

  it('stops when its key was replaced', async () => {
    await welcomed();
    socket().drop(4002);
    expect(unknown).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('leaves the panel to another window, until it is started again', async () => {
    await welcomed();
    socket().drop(4001);
    await vi.advanceTimersByTimeAsync(60_000);
    link.hurry();
    expect([replaced, lost, FakeSocket.all.length]).toEqual([1, 0, 1]);
    link.start();
    await welcomed();
    expect(link.send({ type: 'ping' })).toBe(true);
  });

  it('loads a page that is too old again, and goes on trying', async () => {
    sessionStorage.clear();
    const reload = vi.fn();
    vi.stubGlobal('location', { reload });
    await welcomed();
    socket().drop(4004);
    await vi.advanceTimersByTimeAsync(500);
    socket().drop(4004);
    expect(reload).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(FakeSocket.all).toHaveLength(3);
  });

  it('does not hear a socket that it has given up', async () => {
    await welcomed();
    const old = socket();
    old.drop();
    old.receive(WELCOME);
    expect(events).toHaveLength(1);
  });

  it('lets what it does not understand pass', async () => {
    await welcomed();
    socket().onmessage?.({ data: 'not json' });
    socket().receive({ type: 'directory', directory: WELCOME.directory });
    expect(events.map((event) => event.type)).toEqual(['welcome', 'directory']);
  });
});
