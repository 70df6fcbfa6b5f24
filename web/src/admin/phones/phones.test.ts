import { describe, expect, it } from 'vitest';
import { ApiError } from '../../lib/api-problem';
import { setLocale, t } from '../../lib/i18n';
import { countries, countryWords, NORDICS } from './countries';
import { counted, limitsOf, month, price, valuesOf as limitsValues } from './limits';
import { steps, type TestCall } from './test-call';
import { settingsOf, valuesOf } from './trunk';
import { limitsWords, trunkWords } from './words';

const LIMITS = { countries: [47, 46], number_hour: 6, building_hour: 60, tenant_day: 500 };

describe('a trunk', () => {
  const settings = { name: 'Nordtel', host: 'sip.example.net', port: 5061, way: 'tls', caller: '+4721600000', registers: true, account: 'klinke', keys: 'rfc4733', encryption: 'required', enabled: true } as const;

  it('goes through its form as it was, but for the port that is the usual one', () => {
    const { port: _, ...rest } = settings;
    expect(settingsOf(valuesOf(settings))).toEqual(rest);
    // without TLS there is no encryption to be had
    expect(settingsOf(valuesOf({ ...settings, way: 'udp' }))).toEqual({ ...settings, way: 'udp', encryption: 'off' });
  });

  it('leaves out what stands empty, and follows the way with its port', () => {
    const values = { ...valuesOf(settings), way: 'udp', account: '  ', registers: 'no' } as const;
    expect(settingsOf(values)).toEqual({ name: 'Nordtel', host: 'sip.example.net', way: 'udp', caller: '+4721600000', registers: false, keys: 'rfc4733', encryption: 'off', enabled: true });
  });

  it.each([['65536', 0], ['abc', 0], ['-1', 0], ['443', 443], [' 1024 ', 1024]])('has a port: %s is sent as %s', (typed, port) => {
    expect(settingsOf({ ...valuesOf(settings), port: typed }).port).toBe(port);
  });

  it('begins encrypted, in use, and with keys as events', () => {
    expect(valuesOf()).toMatchObject({ way: 'tls', encryption: 'offered', enabled: true, tones: false, registers: 'yes', port: '' });
  });

  it('says what to do where the general words would not', async () => {
    await setLocale('en');
    const failure = new ApiError({ code: 'invalid', status: 422, fields: new Map([['settings/host', 'host_not_allowed'], ['settings/name', 'empty']]) });
    const words = trunkWords(failure, ['sip.example.net', '*.example.com'], 5061);
    expect(words['settings/host']).toContain('sip.example.net, *.example.com');
    expect(words['settings/name']).toBe('Fill this in.');
  });
});

describe('a test call', () => {
  const keys = (call: Partial<TestCall>) => steps({ id: '1', rang: false, answered: false, one_way: false, ...call }).map(({ key }) => key);

  it('is told step by step, in the order in which it happens', () => {
    expect(keys({})).toEqual(['admin-trunk-test-sent']);
    const all = { rang: true, answered: true, encrypted: false, one_way: true, key: { key: '5', way: 'event' }, ended: 'done' } as const;
    expect(keys(all)).toEqual(['sent', 'rang', 'answered', 'open', 'one-way', 'key-event', 'end-done'].map((step) => `admin-trunk-test-${step}`));
  });

  it('has words for each way of a key and each end that the server knows', async () => {
    await setLocale('en');
    const ends = ['done', 'no_key', 'no_sound', 'given_up', 'hung_up', 'time_limit', 'busy', 'no_answer', 'declined', 'no_such_number', 'moved', 'no_common_media', 'refused', 'trunk_busy', 'unreachable', 'lost', 'broken'] as const;
    const ways = ['event', 'info', 'tone'] as const;
    // the compiler sees that none is missing
    const every: Record<NonNullable<TestCall['ended']>, true> = Object.fromEntries(ends.map((end) => [end, true])) as Record<(typeof ends)[number], true>;
    expect(Object.keys(every)).toHaveLength(ends.length);
    const told = [...ends.map((ended) => ({ ended })), ...ways.map((way) => ({ key: { key: '5', way } }))];
    for (const one of told) for (const step of steps({ id: '1', rang: true, answered: true, encrypted: true, one_way: true, ...one })) expect(t(step.key, step.args)).not.toBe(step.key);
  });
});

describe('limits', () => {
  it('go through their form as they were', () => {
    expect(limitsOf(limitsValues(LIMITS))).toEqual(LIMITS);
  });

  it.each([['', undefined], ['0', undefined], ['61', undefined], ['6', 6], [' 60 ', 60], ['1.5', undefined], ['1e1', undefined]])('count %s as %s', (typed, count) => {
    expect(counted(typed, 60)).toBe(count);
  });

  it('bound a month by what the server says a call can be, and never below it', () => {
    const found = { minutes_day: 1_000, limits: LIMITS };
    expect(month(500, found)).toEqual({ calls: 15_500, minutes: 31_000 });
    expect(month(250, found)).toEqual({ calls: 7_750, minutes: 15_500 });
    // 90 s: 3 calls are 4.5 minutes, of which 5 begin
    expect(month(3, { minutes_day: 750, limits: LIMITS })).toEqual({ calls: 93, minutes: 155 });
  });

  it.each([['0,25', 0.25], ['1.5', 1.5], ['12', 12], ['', undefined], ['-1', undefined], ['1,2,3', undefined], ['kr 1', undefined]])('read the price %s as %s', (typed, each) => {
    expect(price(typed)).toBe(each);
  });

  it('say the range of a number that is none', async () => {
    await setLocale('en');
    const failure = new ApiError({ code: 'invalid', status: 422, fields: new Map([['limits/building_hour', 'out_of_range'], ['limits/countries', 'out_of_range']]) });
    expect(limitsWords(failure)['limits/building_hour']).toContain('600');
    expect(limitsWords(failure)['limits/countries']).toContain('20');
  });
});

describe('countries', () => {
  it('are the Nordic ones first, and then by their names in the language', () => {
    const list = countries(['nb']);
    expect(list.slice(0, 3).map(({ words }) => words)).toEqual(['Norge +47', 'Sverige +46', 'Danmark +45']);
    const others = list.slice(NORDICS.length).map(({ words }) => words);
    expect(others).toEqual([...others].sort(new Intl.Collator('nb').compare));
    expect(countries(['sv']).find(({ code }) => code === 49)?.words).toBe('Tyskland +49');
  });

  it('are each there once, no code begins another, and each has a name', () => {
    const codes = countries(['en']).map(({ code }) => String(code));
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.filter((one) => codes.some((other) => other !== one && other.startsWith(one)))).toEqual([]);
    expect(countries(['en']).filter(({ words }) => !/^\D{3,}\+\d+$/.test(words))).toEqual([]);
  });

  it('without a name are their code', () => {
    expect(countryWords(888, ['en'])).toBe('+888');
  });
});
