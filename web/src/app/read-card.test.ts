import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { createRawSnippet } from 'svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { setLocale } from '../lib/i18n';
import { ApiError } from '../lib/api';
import ReadCard from './ReadCard.svelte';

type State = 'waiting' | 'read' | 'over' | 'offline';
const reading = (state: State, id = 'r1') => ({ id, state, expires_at: 0 });
const told = createRawSnippet(() => ({ render: () => '<p>ends in 3471</p>' }));
const FRONT = { controller: 'c1', reader: 0, words: 'Front', door: true };

function shown(props: Partial<Parameters<typeof render>[1]> = {}) {
  const calls = {
    readers: vi.fn(async () => [FRONT]),
    begin: vi.fn(async () => reading('waiting')),
    // answered when a test does
    look: vi.fn((): Promise<ReturnType<typeof reading>> => new Promise(() => undefined)),
    cancel: vi.fn(async () => undefined),
  };
  const all = { ...calls, read: '', missing: false, told, ...props };
  return { ...all, ...render(ReadCard, all as never) };
}

const press = async (name: string) => fireEvent.click(await screen.findByRole('button', { name }));

beforeEach(() => {
  setLocale('en');
  // there is nothing to scroll
  Element.prototype.scrollIntoView = vi.fn();
});

describe('reading a card at a reader', () => {
  it('waits at the chosen reader, counts down, and tells what came', async () => {
    let come: (what: ReturnType<typeof reading>) => void = () => undefined;
    const look = vi.fn(() => new Promise<ReturnType<typeof reading>>((resolve) => (come = resolve)));
    const { begin } = shown({ look });
    await press('Start');
    expect(begin).toHaveBeenCalledWith({ controller: 'c1', reader: 0 });
    const status = await screen.findByText('Hold the card against the reader: Front');
    expect(status.closest('[role=status]')).not.toBeNull();
    expect(screen.getByRole('timer').textContent).toBe('60 s left');
    // the countdown is not read out every second
    expect(screen.getByRole('timer').closest('[role=status]')).toBeNull();
    come(reading('waiting'));
    await waitFor(() => expect(look).toHaveBeenCalledTimes(2));
    come(reading('read'));
    await screen.findByText('The card was read.');
    screen.getByText('ends in 3471');
    expect(look).toHaveBeenCalledTimes(2);
  });

  it('says that nobody came, or that the reader is gone, and tries again', async () => {
    const look = vi.fn().mockResolvedValueOnce(reading('over')).mockResolvedValueOnce(reading('offline', 'r2'));
    const begin = vi.fn().mockResolvedValueOnce(reading('waiting')).mockResolvedValueOnce(reading('waiting', 'r2'));
    shown({ look, begin });
    await press('Start');
    await screen.findByText('No card came within a minute.');
    await press('Try again');
    await screen.findByText('The reader can not be reached.');
    expect(look).toHaveBeenLastCalledWith('r2');
  });

  it('asks again after a lost answer, and gives up on what is forgotten', async () => {
    const gone = new ApiError({ code: 'not_found', status: 404 });
    const look = vi.fn().mockRejectedValueOnce(new Error('no network')).mockRejectedValueOnce(gone);
    shown({ look });
    await press('Start');
    await screen.findByText('No card came within a minute.', {}, { timeout: 3_000 });
    expect(look).toHaveBeenCalledTimes(2);
  });

  it('takes the wish back when somebody cancels or leaves, and ignores what comes late', async () => {
    let come: (what: ReturnType<typeof reading>) => void = () => undefined;
    const look = vi.fn(() => new Promise<ReturnType<typeof reading>>((resolve) => (come = resolve)));
    const { cancel, unmount } = shown({ look });
    await press('Start');
    await press('Cancel');
    expect(cancel).toHaveBeenCalledWith('r1');
    come(reading('read'));
    await screen.findByRole('button', { name: 'Start' });
    expect(screen.queryByText('The card was read.')).toBeNull();
    await press('Start');
    await screen.findByRole('timer');
    unmount();
    expect(cancel).toHaveBeenCalledTimes(2);
  });

  it('says why it can not begin, and that there is no reader', async () => {
    const begin = vi.fn().mockRejectedValue(new ApiError({ code: 'reader_busy', status: 409 }));
    const { unmount } = shown({ begin, missing: true });
    await screen.findByText('Read the card first.');
    await press('Start');
    await screen.findByText(/Somebody else reads a card/);
    expect(screen.queryByText('Read the card first.')).toBeNull();
    unmount();
    const readers = vi.fn().mockResolvedValueOnce([]).mockResolvedValueOnce([FRONT]);
    shown({ readers });
    await screen.findByText('No reader can be reached just now.');
    await press('Try again');
    await screen.findByLabelText('Reader');
  });
});
