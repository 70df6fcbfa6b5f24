import { render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MediaQuality } from '../api/wire';
import { setLocale } from '../lib/i18n';
import CallScreen from './CallScreen.svelte';

beforeEach(() => setLocale('en'));

describe('the picture of a weak network', () => {
  const show = (quality: MediaQuality, more: { off?: boolean; picture?: boolean } = {}) => {
    const call = { call: 'c', phase: 'ringing', panel: 'Entrance A', building: 'Storgata', label: 'Berg', doors: [], quality, answering: false };
    const home = {
      lines: new Map([['c', { stream: null, picture: more.picture ?? true, link: 'connected' }]]),
      pictureOff: new Set(more.off ? ['c'] : []),
      house: { openings: new Map() },
      link: { phase: 'open' },
      microphone: 'off',
      bellBlocked: false,
      now: 0
    };
    HTMLMediaElement.prototype.play = () => Promise.resolve();
    render(CallScreen, { home, call, others: [], onshow: () => undefined } as never);
    return screen.queryByText('Simpler picture: slow network');
  };

  it('is said not to be shown here, where the device can not', () => {
    show('unknown_codec', { picture: false });
    expect(screen.queryByText('This device can not show this door station’s picture.')).not.toBeNull();
    expect(document.querySelector('.video.off')).not.toBeNull();
  });

  it('is said to be simpler, calmly, and the picture stays', () => {
    const note = show('reduced');
    expect(note?.closest('[aria-live]')?.getAttribute('aria-live')).toBe('polite');
    expect(note?.closest('[role=alert]')).toBeNull();
    expect(document.querySelector('.video.off')).toBeNull();
  });

  it.each([
    ['the network is good', 'good', {}],
    ['there is sound only, which says more', 'audio_only', {}],
    ['its form is one that the device does not know', 'unknown_codec', {}],
    ['the person took the picture away', 'reduced', { off: true }],
    ['no picture has come yet', 'reduced', { picture: false }]
  ] as const)('says nothing when %s', (_, quality, more) => {
    expect(show(quality, more)).toBeNull();
  });
});
