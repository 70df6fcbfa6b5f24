// Ordinary phones, as a property manager sets them up and a resident sees them: trunks, limits, a building's policy, numbers.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Admin } from '../support/admin.mjs';
import { device, launch, SIZES } from '../support/browser.mjs';
import { dismissToasts, fits, look, nothingCut } from '../support/looks.mjs';
import { WIDE, ZOOMED } from '../support/pages.mjs';
import { KLINKE, Program } from '../support/program.mjs';
import { RESIDENT_HZ } from '../support/sound.mjs';
import { t } from '../support/texts.mjs';

const OWNER = { user_name: 'styret', password: 'gul sykkel i regnet' };
const HOSTS = ['sip.example.net', '*.example.com'];
const LISTEN = '127.0.0.1:0';

let browser;
let folder;
let server;
let origin;
let context;
let page;
let admin;
let building;
let resident;

/** Asks the server as the property manager. */
async function sent(method, path, data) {
  const answer = await context.request[method](`${origin}/api/v1${path}`, { headers: { origin }, ...(data && { data }) });
  assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
  return answer.status() === 204 ? undefined : answer.json();
}

const trunks = () => sent('get', '/trunks');
const names = async () => (await trunks()).items.map(({ settings }) => settings.name);

/**
 * At a desk, on a phone, and twice as large: a picture of the first two, and nothing cut off in any. `part`: what the pictures
 * are of, when it is not the top of the page.
 */
async function everySize(name, part) {
  await dismissToasts(page);
  for (const [size, more] of [[WIDE, ''], [SIZES.phone, '-phone'], [ZOOMED]]) {
    await page.setViewportSize(size);
    await fits(page, `${name} at ${size.width}`);
    await nothingCut(page, `${name} at ${size.width}`);
    await part?.evaluate((one) => one.scrollIntoView({ block: 'center' }));
    if (more !== undefined) await look(page, `${name}${more}`, { forced: size === WIDE });
  }
  await page.setViewportSize(WIDE);
}

/** Has the server run, on the data from before if there is any. */
async function start(phones) {
  const env = { KLINKE_DATA__FOLDER: join(folder, 'data'), KLINKE_HTTP__LISTEN: LISTEN, KLINKE_CONTROLLERS__LISTEN: LISTEN, KLINKE_MEDIA__LISTEN: LISTEN };
  server = new Program(KLINKE, ['serve'], { cwd: folder, env: { ...env, ...phones } });
  [, origin] = await server.prints(/Klinke is at (\S+)/);
}

before(async () => {
  browser = await launch(RESIDENT_HZ);
  folder = await mkdtemp(join(tmpdir(), 'klinke-phones-'));
  await start({ KLINKE_PHONES__TRUNK_HOSTS: JSON.stringify(HOSTS) });
  const [, code] = await server.prints(/type this code: (\S+)/);
  context = await device(browser, 'desktop');
  page = await context.newPage();
  admin = new Admin(page);
  await sent('post', '/setup/claim', { code, organisation: 'Nordlys', name: 'Kari Styreleder', ...OWNER });
  await sent('post', '/confidentiality', { version: 1 });
  building = await sent('post', '/buildings', { name: 'Bjørkeveien', address: 'Bjørkeveien 4', kind: 'residential', time_zone: 'Europe/Oslo' });
  const entrance = await sent('post', `/buildings/${building.id}/entrances`, { name: 'A' });
  await sent('post', `/buildings/${building.id}/units`, { entrance: entrance.id, numbers: '1101', doors: [] });
  const { items: [unit] } = await sent('get', `/buildings/${building.id}/units`);
  resident = await sent('post', '/people', { name: 'Ola Nordmann', phone: '+47 915 00 123', language: 'nb', homes: [{ unit: unit.id, owner: false }] });
  await page.setViewportSize(WIDE);
});
after(async () => {
  await server?.stop();
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

test('trunks are set up in the words of a letter, with keys alone, and refused with what to do', async () => {
  await page.goto(`${origin}/admin`);
  await page.getByRole('link', { name: t('admin-phones'), exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: t('admin-phones') }).waitFor();
  await page.getByText(t('admin-trunks-none'), { exact: true }).waitFor();
  await everySize('admin-phones-none');

  const { dialog } = admin;
  const field = (key) => dialog.getByLabel(t(key), { exact: true });
  await page.getByRole('button', { name: t('admin-trunk-add') }).focus();
  await page.keyboard.press('Enter');
  // the first field has the focus; the others come with Tab
  for (const words of ['Nordtel', 'sip.elsewhere.org', undefined, undefined, '99', '']) {
    if (words) await page.keyboard.type(words);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await dialog.getByText(t('admin-trunk-host-refused', { hosts: HOSTS.join(', ') })).first().waitFor();
  await dialog.getByText(t('admin-trunk-port-wrong', { port: '5061' })).first().waitFor();
  await dialog.getByText(t('admin-trunk-account-needed')).first().waitFor();
  await dialog.getByText(t('admin-trunk-caller-wrong')).first().waitFor();
  await everySize('admin-trunk-wrong', dialog.getByRole('alert').first());
  // the summary leads to each field
  await dialog.getByRole('button', { name: new RegExp(`^${t('admin-trunk-host')}:`) }).click();
  await field('admin-trunk-host').and(page.locator(':focus')).waitFor();
  await field('admin-trunk-host').fill('sip.example.net');
  await field('admin-trunk-port').fill('');
  await field('admin-trunk-account').fill('klinke-4711');
  await field('admin-trunk-password').fill('a very secret word');
  await field('admin-trunk-caller').fill('0047 21 60 00 00');
  await field('admin-trunk-tones').check();
  await dialog.getByText(t('admin-trunk-tones-warn')).waitFor();
  await everySize('admin-trunk-tones', dialog.getByText(t('admin-trunk-tones-warn')));
  await field('admin-trunk-tones').uncheck();
  await dialog.getByRole('button', { name: t('admin-trunk-add') }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText(t('admin-trunk-from', { number: '+47 21 60 00 00' })).waitFor();
  const [first] = (await trunks()).items;
  assert.equal(first.has_password, true);
  assert.deepEqual([first.settings.port, first.settings.way, first.settings.keys], [5061, 'tls', 'rfc4733']);
  assert.ok(!(await page.content()).includes('a very secret word'), 'a password is shown nowhere');

  // a switchboard of one's own, known by a fixed address
  await page.getByRole('button', { name: t('admin-trunk-add') }).click();
  await field('admin-name').fill('Sentral i kjelleren');
  await field('admin-trunk-host').fill('pbx.example.com');
  await field('admin-trunk-way').selectOption('udp');
  await dialog.getByText(t('admin-trunk-port-hint', { port: '5060' })).waitFor();
  await field('admin-trunk-peer').check();
  await field('admin-trunk-caller').fill('+47 21 60 00 00');
  await field('admin-trunk-tones').check();
  await dialog.getByRole('button', { name: t('admin-trunk-add') }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText(t('admin-trunk-weak')).waitFor();
  await page.getByText(t('admin-trunk-fixed')).waitFor();
});

test('trunks are ordered with keys, changed without their password, and removed with what it means', async () => {
  const { dialog } = admin;
  const field = (key) => dialog.getByLabel(t(key), { exact: true });
  const up = page.getByRole('button', { name: t('admin-order-up', { name: 'Sentral i kjelleren' }) });
  await up.focus();
  await page.keyboard.press('Enter');
  await page.getByText(t('admin-order-moved', { name: 'Sentral i kjelleren', place: '1', count: '2' })).waitFor({ state: 'attached' });
  assert.deepEqual(await names(), ['Sentral i kjelleren', 'Nordtel']);
  await page.waitForFunction((name) => document.activeElement?.closest('li')?.textContent.includes(name), 'Sentral i kjelleren');
  await page.keyboard.press('Control+z');
  await page.getByText(t('admin-ground-undone')).waitFor();
  assert.deepEqual(await names(), ['Nordtel', 'Sentral i kjelleren']);

  // somebody else changes it meanwhile
  await page.getByRole('button', { name: t('admin-trunk-edit-one', { name: 'Nordtel' }) }).click();
  await dialog.getByText(t('admin-trunk-password-stays')).waitFor();
  assert.equal(await field('admin-trunk-password').inputValue(), '');
  await look(page, 'admin-trunk-edit');
  const [before] = (await trunks()).items;
  await sent('put', `/trunks/${before.id}`, { version: before.version, settings: { ...before.settings, name: 'Nordtel AS' } });
  await field('admin-name').fill('Nordtel Oslo');
  await field('admin-trunk-domain').fill('klinke.example.net');
  await dialog.getByRole('button', { name: t('admin-ground-save') }).click();
  const conflict = page.getByRole('dialog', { name: t('admin-ground-conflict') });
  await conflict.waitFor();
  await conflict.getByRole('radio', { name: new RegExp(t('admin-ground-conflict-mine')) }).check();
  await conflict.getByRole('button', { name: t('admin-ground-conflict-save') }).click();
  await page.getByRole('heading', { name: 'Nordtel Oslo' }).waitFor();
  const [now] = (await trunks()).items;
  assert.deepEqual([now.settings.name, now.settings.domain, now.has_password], ['Nordtel Oslo', 'klinke.example.net', true]);

  // known by its address and without a user name, it keeps no password
  await page.getByRole('button', { name: t('admin-trunk-edit-one', { name: 'Nordtel Oslo' }) }).click();
  await field('admin-trunk-peer').check();
  await field('admin-trunk-account').fill('');
  await dialog.getByText(t('admin-trunk-password-goes')).waitFor();
  await field('admin-trunk-enabled').uncheck();
  await dialog.getByRole('button', { name: t('admin-ground-save') }).click();
  await page.getByText(t('admin-trunk-off')).waitFor();
  assert.equal((await trunks()).items[0].has_password, false);
  await page.evaluate(() => scrollTo(0, 0));
  await everySize('admin-phones', page.getByRole('heading', { level: 1 }));

  // the other one is the only one in use now
  await page.getByRole('button', { name: t('admin-trunk-remove-one', { name: 'Sentral i kjelleren' }) }).click();
  await dialog.getByText(t('admin-trunk-remove-last')).waitFor();
  await look(page, 'admin-trunk-remove');
  await dialog.getByRole('button', { name: t('common-cancel') }).click();
  await page.getByRole('button', { name: t('admin-trunk-remove-one', { name: 'Nordtel Oslo' }) }).click();
  await dialog.getByText(t('admin-trunk-remove-text')).waitFor();
  await dialog.getByRole('button', { name: t('admin-trunk-remove'), exact: true }).click();
  await page.getByRole('heading', { name: 'Nordtel Oslo' }).waitFor({ state: 'detached' });
  assert.deepEqual(await names(), ['Sentral i kjelleren']);
});

test('limits are set, and say what a month can cost', async () => {
  const limits = page.getByRole('region', { name: t('admin-phone-limits') });
  const germany = 'Germany +49';
  await limits.getByLabel('Sweden +46').uncheck();
  await limits.getByLabel(t('admin-phone-country'), { exact: true }).selectOption(germany);
  await limits.getByRole('button', { name: t('admin-phone-country-add'), exact: true }).click();
  assert.ok(await limits.getByLabel(germany).isChecked());
  await limits.getByLabel(t('admin-phone-tenant-day')).fill('6000');
  await limits.getByRole('button', { name: t('admin-ground-save') }).click();
  await limits.getByText(t('admin-phone-range-wrong', { from: '1', to: '5,000' })).first().waitFor();
  await look(page, 'admin-phone-limits-wrong');
  await limits.getByLabel(t('admin-phone-tenant-day')).fill('100');
  await limits.getByLabel(t('admin-phone-price')).fill('0,25');
  // 100 calls of 2 minutes on 31 days
  await limits.getByText(t('admin-phone-cost-minutes', { calls: '3,100', minutes: '6,200' })).waitFor();
  await limits.getByText(t('admin-phone-cost-sum', { sum: '1,550.00' })).waitFor();
  await everySize('admin-phone-limits', limits);
  await limits.getByRole('button', { name: t('admin-ground-save') }).click();
  await page.getByText(t('admin-phone-limits-saved')).waitFor();
  const { limits: now } = await sent('get', '/phone-limits');
  assert.deepEqual([...now.countries].sort(), [354, 358, 45, 47, 49].sort());
  assert.equal(now.tenant_day, 100);
});

test('a building says when phones ring, with keys alone', async () => {
  await page.goto(`${origin}/admin/buildings/${building.id}/policy`);
  const phones = page.getByRole('group', { name: t('admin-policy-phones') });
  await phones.waitFor();
  for (const when of ['off', 'without-device', 'when-silent', 'both']) await phones.getByText(t(`admin-policy-phones-${when}-text`)).waitFor();
  await phones.getByLabel(t('admin-policy-phones-without-device'), { exact: true }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  assert.ok(await phones.getByLabel(t('admin-policy-phones-both'), { exact: true }).isChecked());
  await everySize('admin-policy-phones', phones);
  await page.getByRole('button', { name: t('admin-ground-save') }).click();
  await page.getByText(t('admin-policy-saved')).waitFor();
  const { policy } = await sent('get', `/buildings/${building.id}/policy`);
  assert.equal(policy.phones, 'both');
});

test('an administrator vouches for a number, and takes it away', async () => {
  await page.goto(`${origin}/admin/buildings/${building.id}/people?person=${resident.id}`);
  const part = page.getByRole('region', { name: t('admin-phone-person'), exact: true });
  await part.getByText(t('admin-phone-person-none')).waitFor();
  const number = part.getByLabel(t('admin-phone-person-number'), { exact: true });
  // how they are reached is a good guess
  assert.equal((await number.inputValue()).replaceAll(' ', ''), '+4791500123');
  await number.fill('+44 20 7946 0000');
  await part.getByRole('button', { name: t('admin-phone-person-vouch') }).click();
  await part.getByText(t('error-country-not-allowed')).first().waitFor();
  await number.fill('+47 829 00 000');
  await part.getByRole('button', { name: t('admin-phone-person-vouch') }).click();
  await part.getByText(t('error-costs-extra')).first().waitFor();
  await everySize('admin-person-number-wrong', part);
  await number.fill('+47 915 00 777');
  await number.press('Enter');
  await part.getByText('+47 915 00 777').waitFor();
  await part.getByText(t('admin-phone-person-vouched-by', { name: 'Kari Styreleder' })).waitFor();
  await everySize('admin-person-number', part);
  // how many there are in the building, and that they are rung
  await page.goto(`${origin}/admin/phones`);
  const rung = page.getByRole('region', { name: t('admin-rung'), exact: true });
  const house = rung.getByRole('row').filter({ hasText: building.name });
  await house.getByText('1', { exact: true }).waitFor();
  await house.getByText(t('admin-policy-phones-both')).waitFor();
  await everySize('admin-rung', rung);
  await page.goto(`${origin}/admin/buildings/${building.id}/people?person=${resident.id}`);
  await part.getByRole('button', { name: t('admin-phone-person-remove') }).click();
  const asks = page.getByRole('dialog', { name: t('admin-phone-person-remove') });
  await asks.getByText(t('admin-phone-person-remove-text')).waitFor();
  await look(page, 'admin-person-number-remove');
  await asks.getByRole('button', { name: t('admin-phone-person-remove') }).click();
  await part.getByText(t('admin-phone-person-none')).waitFor();
  assert.deepEqual(await sent('get', `/people/${resident.id}/phone-number`), {});
  // neither the number nor the password of a trunk is among the changes
  const told = JSON.stringify(await sent('get', '/audit?limit=100'));
  assert.ok(told.includes('number.vouched') && told.includes('trunk.made'), told);
  assert.ok(!told.includes('91500777') && !told.includes('secret word'), told);
  // nobody vouches for themselves
  const me = await sent('get', '/session');
  await page.goto(`${origin}/admin/buildings/${building.id}/people?person=${me.person.id}`);
  await part.getByText(t('admin-phone-person-own')).waitFor();
  assert.equal(await part.getByLabel(t('admin-phone-person-number'), { exact: true }).count(), 0);
});

test('every language fits, and the texts of the page follow it', async () => {
  const text = (language, key) => new RegExp(`^${key} = (.+)$`, 'm').exec(readFileSync(new URL(`../../web/src/locales/${language}.ftl`, import.meta.url), 'utf8'))[1];
  for (const language of ['nb', 'nn', 'sv', 'da', 'en']) {
    await page.goto(`${origin}/admin/phones`);
    await page.evaluate((tag) => localStorage.setItem('klinke.locale', tag), language);
    await page.reload();
    await page.getByRole('heading', { name: text(language, 'admin-trunks') }).first().waitFor();
    await page.getByText(text(language, 'admin-phone-cost')).waitFor();
    for (const size of [WIDE, SIZES.phone, { width: 320, height: 568 }]) {
      await page.setViewportSize(size);
      await fits(page, `phones in ${language} at ${size.width}`);
      await nothingCut(page, `phones in ${language} at ${size.width}`);
    }
    await look(page, `admin-phones-${language}-narrow`);
    await page.getByRole('button', { name: text(language, 'admin-trunk-add') }).click();
    await admin.dialog.waitFor();
    await fits(page, `a trunk in ${language}`);
    await page.setViewportSize(WIDE);
    await look(page, `admin-trunk-add-${language}`);
    await page.keyboard.press('Escape');
  }
});

/** A trunk that plays a scenario of `crates/sip/tests/sipp` to everybody who calls. */
async function trunkThat(scenario) {
  const port = await freePort();
  const file = fileURLToPath(new URL(`../../crates/sip/tests/sipp/${scenario}.xml`, import.meta.url));
  const sipp = spawn('sipp', ['-sf', file, '-i', '127.0.0.1', '-mi', '127.0.0.1', '-p', String(port), '-m', '50', '-nostdin'], { cwd: folder, stdio: 'ignore' });
  await once(sipp, 'spawn');
  return { port, end: () => sipp.kill('SIGKILL') };
}

/** A port of UDP that nobody has. */
async function freePort() {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** The trunk at this port is the only one, and stands. */
async function over(port) {
  for (const { id } of (await trunks()).items) await sent('delete', `/trunks/${id}`);
  const settings = { name: 'Nordtel', host: '127.0.0.1', port, way: 'udp', caller: '+4721600000', registers: false, enabled: true };
  await sent('post', '/trunks', { settings });
  const looks = performance.now() + 20_000;
  while ((await trunks()).items[0].state !== 'ready') assert.ok(performance.now() < looks, 'the trunk never answered');
}

test('a trunk is tested by a call that shows each step, and says why it came to nothing', async () => {
  await server.stop();
  await start({ KLINKE_PHONES__LISTEN: '127.0.0.1', KLINKE_PHONES__TRUNK_HOSTS: '["127.0.0.1"]' });
  const busy = await trunkThat('refuse');
  await over(busy.port);
  await page.goto(`${origin}/admin/phones`);
  await page.getByText(t('admin-trunk-ready')).waitFor();
  const { dialog } = admin;
  const call = async (wait) => {
    await page.getByRole('button', { name: t('admin-trunk-test-one', { name: 'Nordtel' }) }).click();
    const number = dialog.getByLabel(t('admin-trunk-test-number'), { exact: true });
    await number.fill('+47 829 00 000');
    await number.press('Enter');
    await dialog.getByText(t('error-costs-extra')).waitFor();
    await number.fill('+47 915 00 456');
    await number.press('Enter');
    await dialog.getByText(t(wait)).waitFor();
  };
  await call('admin-trunk-test-end-busy');
  await everySize('admin-trunk-test-busy', dialog.getByText(t('admin-trunk-test-end-busy')));
  await dialog.getByRole('button', { name: t('common-close'), exact: true }).click();
  busy.end();
  const rings = await trunkThat('rings_on');
  await over(rings.port);
  await page.reload();
  await call('admin-trunk-test-rang');
  await everySize('admin-trunk-test-rings', dialog.getByText(t('admin-trunk-test-rang')));
  assert.equal((await trunks()).items[0].calls, 1);
  await dialog.getByRole('button', { name: t('admin-trunk-test-hang-up') }).click();
  await dialog.getByText(t('admin-trunk-test-end-given-up')).waitFor();
  await dialog.getByRole('button', { name: t('common-close'), exact: true }).click();
  assert.equal((await trunks()).items[0].calls, 0);
  const told = JSON.stringify(await sent('get', '/audit?limit=100'));
  assert.ok(told.includes('trunk.tested') && !told.includes('91500456'), told);
  rings.end();
});

test('one’s own number: proven by a call, the caller as a contact, and taken away', async () => {
  const busy = await trunkThat('refuse');
  await over(busy.port);
  const phone = await device(browser, 'phone');
  const app = await phone.newPage();
  await app.goto(`${origin}/app`);
  await app.getByLabel(t('app-user-name')).fill(OWNER.user_name);
  await app.getByLabel(t('app-password'), { exact: true }).fill(OWNER.password);
  await app.getByRole('button', { name: t('app-sign-in'), exact: true }).click();
  await app.getByRole('link', { name: t('app-tab-me'), exact: true }).click();
  const mine = app.getByRole('region', { name: t('app-phone'), exact: true });
  await mine.getByText(t('app-phone-none')).waitFor();
  await mine.getByText('+47 21 60 00 00').waitFor();
  const [download] = await Promise.all([app.waitForEvent('download'), mine.getByRole('button', { name: t('app-phone-save') }).click()]);
  assert.equal(download.suggestedFilename(), 'klinke.vcf');
  const card = readFileSync(await download.path(), 'utf8');
  assert.match(card, /^BEGIN:VCARD\r\nVERSION:3\.0\r\nFN:.+\r\nN:.+\r\nTEL;TYPE=VOICE:\+4721600000\r\nEND:VCARD\r\n$/);
  const pictures = async (name) => {
    await mine.evaluate((section) => section.scrollIntoView({ block: 'center' }));
    await look(app, name, { forced: true });
    await fits(app, name);
  };
  await pictures('app-phone-none');

  await mine.getByRole('button', { name: t('app-phone-set') }).click();
  await mine.getByLabel(t('app-phone-number'), { exact: true }).fill('+47 915 00 456');
  await mine.getByLabel(t('app-me-password'), { exact: true }).fill('not the password');
  await mine.getByRole('button', { name: t('app-phone-call'), exact: true }).click();
  await mine.getByText(t('error-wrong-password')).waitFor();
  await pictures('app-phone-wrong');
  await mine.getByLabel(t('app-me-password'), { exact: true }).fill(OWNER.password);
  await mine.getByRole('button', { name: t('app-phone-call'), exact: true }).click();
  // it is busy: the digits are gone at once, and why is said
  await mine.getByText(t('app-phone-over-not-picked-up')).waitFor();
  assert.equal(await mine.locator('[data-code]').count(), 0);
  await pictures('app-phone-over');
  busy.end();
  const rings = await trunkThat('rings_on');
  await over(rings.port);
  const again = async (name) => {
    await mine.getByRole('button', { name: t(name) }).click();
    await mine.getByLabel(t('app-phone-number'), { exact: true }).fill('+47 915 00 456');
    await mine.getByLabel(t('app-me-password'), { exact: true }).fill(OWNER.password);
    await mine.getByRole('button', { name: t('app-phone-call'), exact: true }).click();
    await mine.getByText(t('app-phone-calling', { number: '+47 915 00 456' })).waitFor();
  };
  await again('app-phone-again');
  assert.match(await mine.locator('[data-code]').innerText(), /^\d{4}$/);
  await mine.getByText(t('app-phone-until')).waitFor();
  await pictures('app-phone-code');

  // the digits are shown once
  await app.reload();
  await mine.getByText(t('app-phone-waits', { number: '+47 915 00 456' })).waitFor();
  await mine.getByText(t('app-phone-none')).waitFor();
  await pictures('app-phone-waits');

  // what the call proves, and what another device of theirs does meanwhile, the page hears by asking
  await mine.getByRole('button', { name: t('app-phone-give-up') }).click();
  await mine.getByText(t('app-phone-waits', { number: '+47 915 00 456' })).waitFor({ state: 'detached' });
  await again('app-phone-set');
  await mine.locator('[data-code]').waitFor();
  const told = { number: '+4791500456', verified: 'called', can_confirm: true, calls_from: ['+4721600000'] };
  await app.route('**/api/v1/me/phone-number', (route) => (route.request().method() === 'GET' ? route.fulfill({ json: told }) : route.fallback()));
  await mine.getByText(t('app-phone-confirmed')).waitFor();
  await mine.getByText(t('app-phone-called')).waitFor();
  await pictures('app-phone');
  await mine.getByRole('button', { name: t('app-phone-remove'), exact: true }).click();
  const asks = app.getByRole('dialog', { name: t('app-phone-remove-title') });
  await asks.getByText(t('app-phone-remove-text')).waitFor();
  await look(app, 'app-phone-remove');
  await app.unroute('**/api/v1/me/phone-number');
  await asks.getByRole('button', { name: t('app-phone-remove'), exact: true }).click();
  await mine.getByText(t('app-phone-removed')).waitFor();
  const after = await (await phone.request.get(`${origin}/api/v1/me/phone-number`)).json();
  assert.deepEqual(after, { can_confirm: true, calls_from: ['+4721600000'] });
  rings.end();
  await phone.close();
});
