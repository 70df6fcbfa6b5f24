import { describe, expect, it } from 'vitest';
import { daysToWeekEnd, endOfDay, fieldsOf, momentOf, offers, usual } from './until';

const at = (text: string) => new Date(text).getTime();

describe('until when a guest may come', () => {
  it('offers what the home may give', () => {
    const now = at('2026-11-23T10:00'); // a Monday
    expect(offers(now, 30)).toEqual([
      { until: 'hours', at: at('2026-11-23T12:00') },
      { until: 'today', at: at('2026-11-24T00:00') },
      { until: 'week', at: at('2026-11-28T00:00') },
    ]);
    expect(offers(now, 1).map(({ until }) => until)).toEqual(['hours', 'today']);
  });

  it('means the Friday to come, and on a Friday or Saturday the Sunday', () => {
    const days = ['2026-11-22', '2026-11-23', '2026-11-26', '2026-11-27', '2026-11-28'];
    expect(days.map((day) => daysToWeekEnd(at(`${day}T12:00`)))).toEqual([5, 4, 1, 2, 1]);
  });

  it('is today by itself, and a while where today is nearly over', () => {
    expect(usual(at('2026-11-23T10:00'))).toBe('today');
    expect(usual(at('2026-11-23T22:00'))).toBe('today');
    expect(usual(at('2026-11-23T22:01'))).toBe('hours');
  });

  it('takes the fields of a form as they are', () => {
    expect(fieldsOf(at('2026-03-05T07:09'))).toEqual({ date: '2026-03-05', time: '07:09' });
    expect(momentOf('2026-03-05', '07:09')).toBe(at('2026-03-05T07:09'));
    expect(momentOf('', '07:09')).toBeUndefined();
    expect(endOfDay(at('2026-12-31T23:59'))).toBe(at('2027-01-01T00:00'));
  });
});
