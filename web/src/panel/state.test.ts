import { describe, expect, it } from 'vitest';
import type { Directory, PanelCall, PanelCallState, PanelEvent, PanelRequest } from '../api/wire';
import {
  ASKING_MS,
  IDLE_MS,
  IDLE_WARNING_MS,
  initial,
  LOST_MS,
  mediaCall,
  OVER_MS,
  OVER_SHORT_MS,
  reduce,
  type PanelAction,
  type PanelState,
} from './state';

const DIRECTORY: Directory = {
  revision: '1',
  building: 'Solbakken',
  address: 'Storgata 12',
  panel: 'Entrance A',
  bells: [
    { bell: 'b1', label: 'Berg / Lind', unit: '2101', entrance: 'A', kind: 'parallel', members: [] },
    { bell: 'b2', label: 'Haugen', unit: '2201', entrance: 'B', kind: 'individual', members: [] },
  ],
};
const TARGET = { bell: 'b1', label: 'Berg / Lind' };

const CALLING = { state: 'calling', step: 1, steps: 1, reached: false, left_ms: 40_000 } as const;
const CONNECTED = { state: 'connected', left_ms: 120_000 } as const;

function call(state: PanelCallState, id = 'c1'): PanelCall {
  return { call: id, label: 'Berg / Lind', ...state };
}

function opening(state: 'sending' | 'sent' | 'open' | 'refused'): PanelEvent {
  const common = { type: 'opening', call: 'c1', door: 'd1', door_name: 'Entrance A' } as const;
  if (state === 'open') return { ...common, state, for_ms: 5_000 };
  if (state === 'refused') return { ...common, state, reason: 'offline' };
  return { ...common, state };
}

/** A panel, the clock beside it, and what it told the server. */
class Bench {
  now = 1_000;
  state: PanelState = initial(undefined, this.now);
  sent: PanelRequest[] = [];

  do(action: PanelAction) {
    const [state, requests] = reduce(this.state, action, this.now);
    this.state = state;
    this.sent.push(...requests);
    return this;
  }

  event(event: PanelEvent) {
    return this.do({ do: 'event', event });
  }

  welcome(inCall?: PanelCall) {
    const base = { type: 'welcome', protocol: 1, directory: DIRECTORY } as const;
    return this.event(inCall ? { ...base, call: inCall } : base);
  }

  call(state: PanelCallState, request?: string, id?: string) {
    const event = { type: 'call', call: call(state, id) } as const;
    return this.event(request === undefined ? event : { ...event, request });
  }

  ring(request = 'r1') {
    return this.do({ do: 'ring', target: TARGET, request });
  }

  after(ms: number) {
    this.now += ms;
    return this.do({ do: 'tick' });
  }

  get at() {
    return this.state.visit.at;
  }

  get ending() {
    return this.state.visit.at === 'over' ? this.state.visit.ending : undefined;
  }
}

const online = () => new Bench().welcome();
const calling = () => online().ring().call(CALLING, 'r1');
const connected = () => calling().call(CONNECTED);

describe('a call', () => {
  it('says while a phone is rung that it is', () => {
    const panel = online().ring().call({ ...CALLING, phone: true }, 'r1');
    expect(panel.state.visit).toMatchObject({ at: 'calling', phone: true });
    panel.call(CALLING);
    expect(panel.state.visit).not.toMatchObject({ phone: true });
  });

  it('goes from the tap to the talk and back to the names', () => {
    const panel = online().ring();
    expect(panel.sent).toEqual([{ type: 'ring', request: 'r1', bell: 'b1' }]);
    expect(panel.at).toBe('asking');
    expect(mediaCall(panel.state)).toBeUndefined();

    panel.call(CALLING, 'r1');
    expect(panel.state.visit).toMatchObject({ at: 'calling', call: 'c1', until: 41_000 });
    expect(mediaCall(panel.state)).toBe('c1');

    panel.call(CONNECTED);
    expect(panel.state.visit).toMatchObject({ at: 'connected', until: 121_000 });

    panel.call({ state: 'ended', reason: 'resident_hung_up' });
    expect(panel.ending).toBe('resident_hung_up');
    expect(mediaCall(panel.state)).toBeUndefined();
    expect(panel.after(OVER_SHORT_MS).at).toBe('rest');
  });

  it('rings the chosen member of a family', () => {
    const panel = online().do({ do: 'ring', target: { ...TARGET, member: 'p7' }, request: 'r1' });
    expect(panel.sent).toEqual([{ type: 'ring', request: 'r1', bell: 'b1', member: 'p7' }]);
  });

  it.each(['declined', 'no_answer', 'unreachable', 'time_limit', 'interrupted'] as const)(
    'that ends with %s says so until it is read',
    (reason) => {
      const panel = calling().call({ state: 'ended', reason });
      expect(panel.ending).toBe(reason);
      expect(panel.after(OVER_MS - 1).at).toBe('over');
      expect(panel.after(1).at).toBe('rest');
    },
  );

  it('rings once however often the name is tapped', () => {
    expect(online().ring('r1').ring('r2').sent).toHaveLength(1);
    expect(connected().ring('r2').sent).toHaveLength(1);
  });

  it('tries again with a new request', () => {
    const panel = calling().call({ state: 'ended', reason: 'no_answer' }).ring('r2');
    expect(panel.at).toBe('asking');
    expect(panel.sent.at(-1)).toEqual({ type: 'ring', request: 'r2', bell: 'b1' });
  });

  it('says that it did not work when the server refuses, or says nothing', () => {
    const refused = online().ring();
    refused.event({ type: 'error', request: 'r0', code: 'busy' });
    expect(refused.at).toBe('asking');
    refused.event({ type: 'error', request: 'r1', code: 'busy' });
    expect(refused.ending).toBe('busy');

    const silent = online().ring().after(ASKING_MS - 1);
    expect(silent.at).toBe('asking');
    expect(silent.after(1).ending).toBe('not_accepted');
    // The server answers after all: nobody waits for it any more.
    silent.call(CALLING, 'r1');
    expect(silent.sent.at(-1)).toEqual({ type: 'hang_up', call: 'c1' });
    expect(silent.at).toBe('over');
  });
});

describe('cancelling', () => {
  it('hangs up', () => {
    const panel = calling().do({ do: 'cancel' });
    expect(panel.sent.at(-1)).toEqual({ type: 'hang_up', call: 'c1' });
    expect(panel.at).toBe('rest');
    panel.call({ state: 'ended', reason: 'visitor_left' });
    expect(panel.at).toBe('rest');
  });

  it('before the call has an id hangs up when it gets one', () => {
    const panel = online().ring().do({ do: 'cancel' });
    expect(panel.sent).toHaveLength(1);
    panel.call(CALLING, 'r1');
    expect(panel.sent.at(-1)).toEqual({ type: 'hang_up', call: 'c1' });
    expect(panel.at).toBe('rest');
  });

  it('while the connection is lost does not bring the call back', () => {
    const panel = calling().do({ do: 'lost' }).do({ do: 'cancel' }).welcome(call(CALLING));
    expect(panel.at).toBe('rest');
    expect(panel.sent.filter((request) => request.type === 'hang_up')).toHaveLength(2);

    const early = online().ring().do({ do: 'lost' }).do({ do: 'cancel' }).welcome(call(CALLING));
    expect(early.at).toBe('rest');
    expect(early.sent.at(-1)).toEqual({ type: 'hang_up', call: 'c1' });
  });
});

describe('the connection', () => {
  it('does not ring while it is lost, and says so', () => {
    const panel = online().do({ do: 'lost' }).ring();
    expect(panel.ending).toBe('offline');
    expect(panel.sent).toEqual([]);
  });

  it('rings when it stands, for whoever taps a name that is there before it', () => {
    const panel = new Bench().ring();
    expect(panel.at).toBe('asking');
    panel.sent = []; // the link is not proven: nothing left
    panel.welcome();
    expect(panel.sent).toEqual([{ type: 'ring', request: 'r1', bell: 'b1' }]);
    expect(panel.call(CALLING, 'r1').at).toBe('calling');
    expect(new Bench().ring().do({ do: 'lost' }).after(ASKING_MS).ending).toBe('not_accepted');
  });

  it('keeps the names of the last time', () => {
    const panel = online().do({ do: 'lost' });
    expect(panel.state).toMatchObject({ link: 'offline', directory: { revision: '1' } });
  });

  it('repeats a ring that got no answer, with the same id', () => {
    const panel = online().ring().do({ do: 'lost' }).welcome();
    expect(panel.sent.map((request) => request.type === 'ring' && request.request)).toEqual(['r1', 'r1']);
    expect(panel.at).toBe('asking');
  });

  it('takes up the call that goes on', () => {
    const panel = connected().do({ do: 'lost' });
    expect(panel.at).toBe('connected');
    expect(panel.welcome(call({ state: 'connected', left_ms: 60_000 })).state.visit).toMatchObject({ call: 'c1', until: 61_000 });
    // So does a page that was loaded anew.
    expect(new Bench().welcome(call(CONNECTED)).at).toBe('connected');
  });

  it('ends a call that the server does not know any more', () => {
    expect(connected().do({ do: 'lost' }).welcome().ending).toBe('interrupted');
    expect(calling().do({ do: 'lost' }).welcome().ending).toBe('interrupted');
  });

  it('that does not come back ends the call', () => {
    const panel = calling().do({ do: 'lost' }).after(LOST_MS - 1);
    expect(panel.do({ do: 'lost' }).at).toBe('calling');
    expect(panel.after(1).ending).toBe('interrupted');
  });
});

describe('the door', () => {
  it('is open only when the news say so, and only as long', () => {
    const panel = connected().event(opening('sending'));
    expect(panel.state.opening?.is).toBe('sending');
    // another system opens it: no more is known
    panel.event(opening('sent'));
    expect(panel.state.opening?.is).toBe('sending');
    panel.event(opening('open'));
    expect(panel.state.opening).toMatchObject({ is: 'open', door: 'Entrance A', forMs: 5_000 });
    expect(panel.after(4_999).state.opening?.is).toBe('open');
    expect(panel.after(1).state.opening).toBeUndefined();
    expect(panel.at).toBe('connected');
  });

  it('opened without an answer leads back to the names when it has had its time', () => {
    const panel = calling().event(opening('sending')).call({ state: 'ended', reason: 'opened' });
    expect(panel.state.opening?.is).toBe('sending');
    panel.event(opening('open')).after(4_999);
    expect(panel.state.opening?.is).toBe('open');
    expect(panel.after(1).at).toBe('rest');
  });

  it('is not shown as open because a call ended with "opened"', () => {
    expect(calling().call({ state: 'ended', reason: 'opened' }).state.opening).toBeUndefined();
  });

  it('that was refused says why, and the call goes on', () => {
    const panel = connected().event(opening('refused'));
    expect(panel.state.opening).toMatchObject({ is: 'refused', reason: 'offline' });
    expect(panel.at).toBe('connected');
  });

  it('of a visitor who has left shows nothing', () => {
    expect(connected().do({ do: 'cancel' }).event(opening('open')).state.opening).toBeUndefined();
  });
});

describe('an untouched screen', () => {
  it('warns, and then forgets what the visitor chose', () => {
    const panel = online().do({ do: 'browse', browse: { query: 'be' } });
    expect(panel.after(IDLE_WARNING_MS - 1).state.warned).toBe(false);
    expect(panel.after(1).state.warned).toBe(true);
    expect(panel.after(IDLE_MS - IDLE_WARNING_MS).state).toMatchObject({ awake: false, warned: false, browse: { query: '' } });
  });

  it('is kept by any touch', () => {
    const panel = online().do({ do: 'browse', browse: { query: 'be' } }).after(IDLE_WARNING_MS).do({ do: 'touch' });
    expect(panel.state.warned).toBe(false);
    expect(panel.after(IDLE_MS - 1).state.browse.query).toBe('be');
  });

  it('does not warn when nothing would be lost', () => {
    expect(online().do({ do: 'touch' }).after(IDLE_WARNING_MS).state.warned).toBe(false);
  });

  it('gives three times as long in the large mode', () => {
    const panel = online().do({ do: 'large', on: true }).after(IDLE_MS);
    expect(panel.state.large).toBe(true);
    expect(panel.after(2 * IDLE_MS).state.large).toBe(false);
  });

  it('never goes idle in a call', () => {
    expect(calling().after(IDLE_MS).state).toMatchObject({ awake: true, visit: { at: 'calling' } });
  });
});

describe('the directory', () => {
  it('starts at the stair of the panel', () => {
    expect(online().state.browse.stair).toBe('A');
  });

  it('that changes keeps what the visitor is looking at', () => {
    const panel = online().do({ do: 'browse', browse: { stair: 'B', query: 'ha' } });
    panel.event({ type: 'directory', directory: { ...DIRECTORY, revision: '2' } });
    expect(panel.state.browse).toMatchObject({ stair: 'B', query: 'ha' });
    expect(panel.state.directory?.revision).toBe('2');
  });

  it('that loses the name leaves no query without a hit', () => {
    const panel = online().do({ do: 'browse', browse: { stair: undefined, query: 'hau' } });
    panel.event({ type: 'directory', directory: { ...DIRECTORY, revision: '2', bells: DIRECTORY.bells.slice(0, 1) } });
    expect(panel.state.browse.query).toBe('');
  });
});

describe('a pass', () => {
  const opened = { type: 'pass', request: 'r1', door_name: 'Entrance A', state: 'open', for_ms: 5_000 } as const;

  it('opens the green screen while its screen is there, and goes back to the names after it', () => {
    const bench = new Bench().welcome().do({ do: 'browse', browse: { pass: true } });
    bench.event({ type: 'pass', request: 'r1', door_name: 'Entrance A', state: 'sending' });
    expect(bench.state.opening?.is).toBe('sending');
    bench.event(opened);
    expect(bench.state.opening).toMatchObject({ is: 'open', door: 'Entrance A' });
    bench.now += 5_000;
    bench.do({ do: 'tick' });
    expect(bench.state).toMatchObject({ opening: undefined, browse: { pass: false } });
  });

  it('shows nothing to who did not ask', () => {
    const bench = new Bench().welcome().event(opened);
    expect(bench.state.opening).toBeUndefined();
  });

  it('is warned of and left when nobody touches the screen', () => {
    const bench = new Bench().welcome().do({ do: 'browse', browse: { pass: true } });
    bench.now += IDLE_WARNING_MS;
    expect(bench.do({ do: 'tick' }).state.warned).toBe(true);
    bench.now += IDLE_MS;
    expect(bench.do({ do: 'tick' }).state.browse.pass).toBe(false);
  });
});
