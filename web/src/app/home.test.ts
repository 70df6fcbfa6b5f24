import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AppCall, AppEvent, AppRequest } from '../api/wire';
import { Home } from './home.svelte';

class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: AppRequest[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor() {
    FakeSocket.all.push(this);
  }

  send(text: string) {
    this.sent.push(JSON.parse(text) as AppRequest);
  }

  close(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  says(event: AppEvent) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
}

class FakePeer {
  static all: FakePeer[] = [];
  signalingState = 'stable';
  connectionState = 'new';
  localDescription: { sdp: string } | null = null;
  remote: string | undefined;
  transceivers: { kind: string; direction: string; replaceTrack: ReturnType<typeof vi.fn> }[] = [];
  closed = false;
  onconnectionstatechange: (() => void) | null = null;

  constructor() {
    FakePeer.all.push(this);
  }

  addTransceiver(kind: string, { direction }: { direction: string }) {
    const replaceTrack = vi.fn(() => Promise.resolve());
    this.transceivers.push({ kind, direction, replaceTrack });
    return { sender: { replaceTrack } };
  }

  setLocalDescription() {
    this.localDescription = { sdp: `offer ${FakePeer.all.indexOf(this)}` };
    this.signalingState = 'have-local-offer';
    return Promise.resolve();
  }

  setRemoteDescription({ sdp }: { sdp: string }) {
    this.remote = sdp;
    this.signalingState = 'stable';
    return Promise.resolve();
  }

  close() {
    this.closed = true;
    this.signalingState = 'closed';
  }

  becomes(state: string) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

const RING: AppCall = {
  call: 'c1',
  building: 'Storgata 12',
  panel: 'Inngang A',
  label: 'Berg',
  doors: [{ door: 'd1', name: 'Inngang A' }],
  join: 'j1',
  state: 'ringing',
  left_ms: 30_000,
};
const welcome = (calls: AppCall[] = []): AppEvent => ({ type: 'welcome', protocol: 1, device: 'me', calls, doors: [] });
const socket = () => FakeSocket.all.at(-1)!;
const sent = () => socket().sent.filter(({ type }) => type !== 'hello');
/** Lets promises that are settled go on. */
const settle = () => vi.advanceTimersByTimeAsync(0);

const track = { kind: 'audio', enabled: true, stop: vi.fn() };
const getUserMedia = vi.fn();
let home: Home;
let stop: () => void;
let signedIn: boolean;
const signedOut = vi.fn();

async function connect(calls: AppCall[] = []) {
  socket().readyState = 1;
  socket().onopen?.();
  socket().says(welcome(calls));
  await settle();
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  FakePeer.all = [];
  signedIn = true;
  vi.clearAllMocks();
  track.enabled = true;
  getUserMedia.mockResolvedValue({ getAudioTracks: () => [track], getTracks: () => [track] });
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('RTCPeerConnection', FakePeer);
  vi.stubGlobal('MediaStream', class { addTrack() {} });
  vi.stubGlobal('navigator', { ...navigator, mediaDevices: { getUserMedia } });
  home = new Home(() => Promise.resolve(signedIn), signedOut);
  stop = home.start();
});
afterEach(() => {
  stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('a ring', () => {
  it('is acknowledged at once, then asks for the picture, and for no microphone', async () => {
    await connect();
    socket().says({ type: 'ring', call: RING });
    await settle();
    expect(sent()).toEqual([
      { type: 'ringing', call: 'c1' },
      { type: 'offer', call: 'c1', join: 'j1', sdp: 'offer 0' },
    ]);
    expect(FakePeer.all[0]!.transceivers.map(({ kind, direction }) => [kind, direction])).toEqual([
      ['video', 'recvonly'],
      ['audio', 'sendrecv'],
    ]);
    expect(getUserMedia).not.toHaveBeenCalled();
    socket().says({ type: 'answer', call: 'c1', sdp: 'answer 0' });
    expect(FakePeer.all[0]!.remote).toBe('answer 0');
  });

  it('is answered by putting the microphone in place, without another offer', async () => {
    await connect([RING]);
    home.answer('c1');
    await settle();
    socket().says({ type: 'call', call: 'c1', state: 'connected', left_ms: 120_000 });
    await settle();
    expect(sent().map(({ type }) => type)).toEqual(['ringing', 'offer', 'accept']);
    expect(FakePeer.all[0]!.transceivers[1]!.replaceTrack).toHaveBeenCalledWith(track);
    expect(home.microphone).toBe('on');
    home.mute(true);
    expect([track.enabled, home.microphone]).toEqual([false, 'muted']);
  });

  it('lets go of everything when it was answered elsewhere', async () => {
    await connect([RING]);
    home.answer('c1');
    await settle();
    socket().says({ type: 'call', call: 'c1', state: 'elsewhere', by: 'Ola', opened: false });
    expect([track.stop.mock.calls.length, FakePeer.all[0]!.closed, home.microphone]).toEqual([1, true, 'off']);
    await vi.advanceTimersByTimeAsync(3_500);
    expect(home.shown).toEqual([]);
  });

  it('keeps no microphone that the browser grants too late', async () => {
    let grant: (stream: unknown) => void = () => undefined;
    getUserMedia.mockReturnValue(new Promise((resolve) => (grant = resolve)));
    await connect([RING]);
    home.answer('c1');
    socket().says({ type: 'call', call: 'c1', state: 'ended', reason: 'visitor_left' });
    grant({ getAudioTracks: () => [track], getTracks: () => [track] });
    await settle();
    expect([track.stop.mock.calls.length, home.microphone]).toEqual([1, 'off']);
  });

  it('is still answered, and still opens, when the microphone is denied', async () => {
    getUserMedia.mockRejectedValue(new DOMException('no', 'NotAllowedError'));
    await connect([RING]);
    home.answer('c1');
    socket().says({ type: 'call', call: 'c1', state: 'connected', left_ms: 120_000 });
    await settle();
    expect(home.microphone).toBe('denied');
    home.openDoor('d1', 'c1');
    expect(sent().at(-1)).toMatchObject({ type: 'open', door: 'd1', call: 'c1' });
    expect(home.house.openings.get('d1')?.phase).toBe('asking');
  });

  it('disappears at "Not now", and its picture with it', async () => {
    await connect([RING]);
    home.decline('c1');
    expect(sent().at(-1)).toEqual({ type: 'decline', call: 'c1' });
    expect([home.shown, FakePeer.all[0]!.closed]).toEqual([[], true]);
  });

  it('hangs up the call before when another is answered', async () => {
    await connect([{ ...RING, state: 'connected', left_ms: 9_000 } as AppCall, { ...RING, call: 'c2', join: 'j2' }]);
    home.answer('c2');
    expect(sent().slice(-2)).toEqual([
      { type: 'hang_up', call: 'c1' },
      { type: 'accept', call: 'c2' },
    ]);
  });
});

describe('a connection that comes back', () => {
  it('joins the call anew with the new token, and with the microphone that was on', async () => {
    await connect([{ ...RING, state: 'connected', left_ms: 90_000 } as AppCall]);
    expect(home.microphone).toBe('on');
    socket().close();
    await vi.advanceTimersByTimeAsync(500);
    await connect([{ ...RING, join: 'j2', state: 'connected', left_ms: 80_000 } as AppCall]);
    expect(FakePeer.all.map(({ closed }) => closed)).toEqual([true, false]);
    expect(sent()).toEqual([{ type: 'offer', call: 'c1', join: 'j2', sdp: 'offer 1' }]);
    expect(FakePeer.all[1]!.transceivers[1]!.replaceTrack).toHaveBeenCalledWith(track);
    expect(getUserMedia).toHaveBeenCalledTimes(1);
  });

  it('does not open a door that was asked for before', async () => {
    await connect();
    home.openDoor('d1');
    socket().close();
    expect(home.house.openings.get('d1')?.phase).toBe('unanswered');
    home.openDoor('d1');
    expect(home.house.openings.get('d1')?.phase).toBe('unanswered');
    await vi.advanceTimersByTimeAsync(500);
    await connect();
    expect(sent()).toEqual([]);
  });

  it('shows the sign-in when the session is gone', async () => {
    await connect();
    signedIn = false;
    socket().close();
    await settle();
    expect(signedOut).toHaveBeenCalledOnce();
  });
});

describe('a connection that the server ends', () => {
  it('lets go of the call when another window took over, and takes it back when asked', async () => {
    await connect([{ ...RING, state: 'connected', left_ms: 90_000 } as AppCall]);
    socket().close(4001);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([home.shown, FakePeer.all[0]!.closed, home.microphone, FakeSocket.all.length]).toEqual([[], true, 'off', 1]);
    expect(signedOut).not.toHaveBeenCalled();
    home.takeOver();
    await connect([{ ...RING, join: 'j2', state: 'connected', left_ms: 30_000 } as AppCall]);
    expect([home.shown.length, home.online, FakePeer.all.length]).toEqual([1, true, 2]);
  });

  it('shows the sign-in when this device was signed out', async () => {
    await connect();
    socket().close(4002);
    expect(signedOut).toHaveBeenCalledOnce();
  });
});

describe('media that fails', () => {
  it('is tried again with a new token, three times', async () => {
    await connect([{ ...RING, left_ms: 600_000 } as AppCall]);
    for (let attempt = 2; attempt <= 6; attempt += 1) {
      FakePeer.all.at(-1)!.becomes('failed');
      await vi.advanceTimersByTimeAsync(3_000);
      if (socket().readyState === 0) await connect([{ ...RING, join: `j${attempt}`, left_ms: 600_000 } as AppCall]);
    }
    expect(FakePeer.all).toHaveLength(4);
    expect(home.lines.get('c1')?.link).toBe('failed');
  });

  it('counts as failed when it never connects', async () => {
    await connect([RING]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(home.lines.get('c1')?.link).toBe('failed');
  });
});
