// Desk phones and door stations as an administrator gives them their accounts: what is to be typed in is shown once, and the
// pages say who is there. baresip is the device.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Admin } from '../support/admin.mjs';
import { Baresip } from '../support/baresip.mjs';
import { device, filmOf, launch, SIZES } from '../support/browser.mjs';
import { dismissToasts, fits, look, nothingCut } from '../support/looks.mjs';
import { WIDE, ZOOMED } from '../support/pages.mjs';
import { Panel } from '../support/panel.mjs';
import { freePort } from '../support/ports.mjs';
import { KLINKE, Program } from '../support/program.mjs';
import { until } from '../support/site.mjs';
import { RESIDENT_HZ, VISITOR_HZ } from '../support/sound.mjs';
import { DeskPhone } from '../support/telephone.mjs';
import { t } from '../support/texts.mjs';

const OWNER = { user_name: 'styret', password: 'gul sykkel i regnet' };
const LISTEN = '127.0.0.1:0';

let browser;
let folder;
let server;
let origin;
let context;
let page;
let admin;
let building;
let door;
let unit;
let resident;
let registers;

/** Asks the server as the property manager. */
async function sent(method, path, data) {
  const answer = await context.request[method](`${origin}/api/v1${path}`, { headers: { origin }, ...(data && { data }) });
  assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
  return answer.status() === 204 ? undefined : answer.json();
}

/**
 * A device of others that registers with what the page has shown. `host`: its own address, for once its account is taken away it
 * guesses on, and whoever guesses is not heard for a minute.
 */
const register = (host, { server: at, user, password }) => Baresip.start(`<sip:${user}@${at};transport=udp>;auth_user=${user};auth_pass=${password};regint=60`, { host });

/** Its web server, with a certificate that it signed itself. */
class Web {
  #server;
  port;
  fingerprint;

  static async start(host) {
    const one = new Web();
    const key = join(folder, 'web.key');
    const certificate = join(folder, 'web.pem');
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=door', '-keyout', key, '-out', certificate];
    execFileSync('openssl', made, { stdio: 'ignore' });
    const shown = readFileSync(certificate);
    one.fingerprint = new X509Certificate(shown).fingerprint256;
    one.#server = createServer({ key: readFileSync(key), cert: shown });
    await new Promise((resolve) => one.#server.listen(0, host, resolve));
    one.port = one.#server.address().port;
    return one;
  }

  stop() {
    return new Promise((resolve) => this.#server.close(resolve));
  }
}

/** At a desk, on a phone, and twice as large: a picture of the first two, and nothing cut off in any. */
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

/** What the dialog says is to be typed in; it is closed then, and says it no more. */
async function shownOnce(name, sizes = [[WIDE, '']]) {
  const dialog = page.getByRole('dialog', { name: t('admin-sip-made') });
  await dialog.getByText(t('admin-sip-once')).waitFor();
  const value = async (key) => dialog.locator('div').filter({ has: page.getByText(t(key), { exact: true }) }).last().locator('code').innerText();
  const shown = { server: await value('admin-sip-server-udp'), user: await value('admin-sip-user'), password: await value('admin-sip-password') };
  assert.match(shown.user, /^[a-z0-9]{16}$/);
  assert.match(shown.password, /^[a-z]{29}$/);
  for (const [size, more] of sizes) {
    await page.setViewportSize(size);
    await nothingCut(page, `${name} at ${size.width}`);
    await look(page, `${name}${more}`, { forced: size === WIDE });
  }
  await page.setViewportSize(WIDE);
  await dialog.getByRole('button', { name: t('admin-sip-kept') }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.ok(!(await page.content()).includes(shown.password), 'a password is shown once');
  return shown;
}

before(async () => {
  browser = await launch(RESIDENT_HZ);
  folder = await mkdtemp(join(tmpdir(), 'klinke-sip-devices-'));
  const first = (await freePort()) & ~1;
  server = new Program(KLINKE, ['serve'], {
    cwd: folder,
    env: {
      KLINKE_DATA__FOLDER: join(folder, 'data'),
      KLINKE_HTTP__LISTEN: LISTEN,
      KLINKE_CONTROLLERS__LISTEN: LISTEN,
      KLINKE_MEDIA__LISTEN: LISTEN,
      KLINKE_STATIONS__LISTEN: `127.0.0.1:${await freePort()}`,
      // baresip 1.0 gives up when it is asked for SHA-256 too
      KLINKE_STATIONS__DIGESTS: 'md5',
      KLINKE_STATIONS__FIRST_PORT: String(first),
      KLINKE_STATIONS__LAST_PORT: String(first + 9),
    },
  });
  [, origin] = await server.prints(/Klinke is at (\S+)/);
  const [, code] = await server.prints(/type this code: (\S+)/);
  context = await device(browser, 'desktop', { origin });
  page = await context.newPage();
  admin = new Admin(page);
  await sent('post', '/setup/claim', { code, organisation: 'Nordlys', name: 'Kari Styreleder', ...OWNER });
  await sent('post', '/confidentiality', { version: 1 });
  building = await sent('post', '/buildings', { name: 'Bjørkeveien', address: 'Bjørkeveien 4', kind: 'residential', time_zone: 'Europe/Oslo' });
  const entrance = await sent('post', `/buildings/${building.id}/entrances`, { name: 'A' });
  door = await sent('post', `/buildings/${building.id}/doors`, { name: 'Street door', everybody: true });
  await sent('post', `/buildings/${building.id}/units`, { entrance: entrance.id, numbers: '1101', doors: [] });
  ({ items: [unit] } = await sent('get', `/buildings/${building.id}/units`));
  resident = await sent('post', '/people', { name: 'Ola Nordmann', language: 'nb', homes: [{ unit: unit.id, owner: false }] });
  await page.setViewportSize(WIDE);
});
afterEach(async () => {
  await registers?.stop('SIGKILL');
  registers = undefined;
});
after(async () => {
  await server?.stop();
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

test('a desk phone is given to a person, is there once its account is typed in, and is out when it is removed', async () => {
  await page.goto(`${origin}/admin/phones`);
  const all = page.getByRole('region', { name: t('admin-sip-registered'), exact: true });
  await all.getByText(t('admin-sip-registered-none'), { exact: true }).waitFor();
  await everySize('admin-sip-registered-none', all);

  await page.goto(`${origin}/admin/buildings/${building.id}/people?person=${resident.id}`);
  const part = page.getByRole('region', { name: t('admin-sip'), exact: true });
  await part.getByText(t('admin-sip-none')).waitFor();
  await part.getByRole('button', { name: t('admin-sip-add') }).click();
  const name = part.getByLabel(t('admin-name'), { exact: true });
  await name.fill('Kitchen');
  await everySize('admin-sip-add', part);
  await name.press('Enter');
  const shown = await shownOnce('admin-sip-made');
  await part.getByText('Kitchen', { exact: true }).waitFor();
  await part.getByText(t('admin-offline')).waitFor();

  registers = await register('127.0.0.2', shown);
  await part.getByText(t('admin-online')).waitFor();
  await everySize('admin-sip-online', part);
  await page.goto(`${origin}/admin/phones`);
  const row = admin.row('Kitchen');
  await row.getByText('Ola Nordmann').waitFor();
  await row.getByText(t('admin-online')).waitFor();

  await page.goto(`${origin}/admin/buildings/${building.id}/people?person=${resident.id}`);
  await part.getByRole('button', { name: t('admin-sip-remove-one', { name: 'Kitchen' }) }).click();
  const asks = page.getByRole('dialog', { name: t('admin-sip-remove-title', { name: 'Kitchen' }) });
  await asks.getByText(t('admin-sip-remove-text')).waitFor();
  await look(page, 'admin-sip-remove');
  await asks.getByRole('button', { name: t('admin-sip-remove') }).click();
  await part.getByText(t('admin-sip-none')).waitFor();
  assert.deepEqual((await sent('get', '/sip-accounts')).items, []);
  // neither name nor password of an account is among the changes
  const told = JSON.stringify(await sent('get', '/audit?limit=100'));
  assert.ok(told.includes('station.made') && told.includes('station.removed'), told);
  assert.ok(!told.includes(shown.user) && !told.includes(shown.password), told);
});

test('a door station becomes a panel, and gets another account when its password is lost', async () => {
  await page.goto(`${origin}/admin/buildings/${building.id}/panels`);
  await page.getByRole('button', { name: t('admin-sip-panel-add') }).first().click();
  const { dialog } = admin;
  await dialog.getByText(t('admin-sip-panel-text')).waitFor();
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Gate');
  await dialog.getByLabel('Street door', { exact: true }).check();
  await everySize('admin-door-station');
  await dialog.getByRole('button', { name: t('admin-sip-make') }).click();
  const shown = await shownOnce('admin-door-station-made', [[WIDE, ''], [SIZES.phone, '-phone'], [ZOOMED, '-zoomed']]);
  const row = admin.row('Gate');
  await row.getByText(t('admin-offline')).waitFor();
  registers = await register('127.0.0.3', shown);
  await row.getByText(t('admin-online')).waitFor();
  await everySize('admin-door-station-panels');

  // its one button dials letters: any number rings a doorbell, if the administrator says so
  const { items: [unit] } = await sent('get', `/buildings/${building.id}/units`);
  const gate = (await sent('get', `/buildings/${building.id}/panels`)).find(({ name }) => name === 'Gate');
  const bell = await sent('post', `/buildings/${building.id}/bells`, { panel: gate.id, unit: unit.id, label: 'Reception', kind: 'family' });
  const particular = () => row.getByRole('button', { name: t('admin-sip-panel-station') }).click();
  const any = dialog.getByLabel(t('admin-sip-any'), { exact: true });
  await particular();
  await any.selectOption({ label: 'Reception · 1101' });
  await everySize('admin-door-station-any', any);
  await dialog.getByRole('button', { name: t('admin-ground-save') }).click();
  await dialog.waitFor({ state: 'detached' });
  await particular();
  assert.equal(await any.inputValue(), bell.id);

  // the account before is out at once
  await dialog.getByRole('button', { name: t('admin-sip-panel-renew') }).click();
  await dialog.getByText(t('admin-sip-panel-renew-text')).waitFor();
  await dialog.getByRole('button', { name: t('admin-sip-panel-renew') }).click();
  const other = await shownOnce('admin-door-station-renewed');
  assert.notEqual(other.password, shown.password);
  await row.getByText(t('admin-offline')).waitFor();
  await page.goto(`${origin}/admin/phones`);
  await admin.row('Gate').getByText(t('admin-sip-door-station')).waitFor();
});

test('a door without a controller is opened by the door station itself, which the page calls weaker', async () => {
  await page.goto(`${origin}/admin/buildings/${building.id}/doors`);
  let name = 'Street door';
  let row = admin.row(name);
  await row.getByText(t('admin-no-controller'), { exact: true }).first().waitFor();
  const { dialog } = admin;
  const edit = () => row.getByRole('button', { name: t('admin-relay-title', { name }) }).click();
  const save = () => dialog.getByRole('button', { name: t('admin-ground-save') }).click();
  const field = (label) => dialog.getByLabel(t(label), { exact: true });
  await edit();
  await dialog.getByText(t('admin-relay-weak')).waitFor();
  // one way to save, and it is for what is typed here
  assert.equal(await dialog.locator('button[type=submit]').count(), 1);
  await field('admin-relay-code').fill('letters');
  await save();
  await dialog.getByText(t('error-not-keys')).first().waitFor();
  await everySize('admin-relay-keys', dialog.getByText(t('admin-relay-weak')));
  await field('admin-relay-way').selectOption({ label: t('admin-relay-http') });
  await field('admin-relay-path').fill('http://192.0.2.4/open');
  await save();
  await dialog.getByText(t('error-not-a-path')).first().waitFor();
  await field('admin-relay-maker').selectOption({ label: '2N' });
  assert.equal(await field('admin-relay-path').inputValue(), '/api/switch/ctrl?switch=1&action=trigger');
  await field('admin-relay-user').fill('klinke');
  await field('admin-sip-password').fill('a password of the station');
  await everySize('admin-relay-http', field('admin-relay-path'));
  await save();
  await dialog.waitFor({ state: 'detached' });
  await row.getByText(t('admin-door-by-station')).waitFor();
  // nothing of what takes a controller is offered
  for (const takes of ['admin-door-hold', 'admin-door-settings']) assert.equal(await row.getByRole('button', { name: t(takes, { name: 'Street door' }) }).count(), 0);
  await everySize('admin-relay-doors');

  // Akuvox wants name and password in the request, which somebody has to allow in the clear
  await edit();
  await field('admin-relay-maker').selectOption({ label: 'Akuvox' });
  assert.equal(await field('admin-relay-port').inputValue(), '80');
  await field('admin-sip-password').fill('a password of the station');
  await save();
  await dialog.getByText(t('error-in-the-clear')).first().waitFor();
  await field('admin-relay-basic').check();
  await everySize('admin-relay-akuvox', field('admin-relay-basic'));
  // it signs its certificate itself: read where it is registered, compared, taken
  await field('admin-relay-maker').selectOption({ label: 'Akuvox, High Security Mode' });
  assert.equal(await field('admin-relay-port').inputValue(), '443');
  await field('admin-relay-basic').uncheck();
  const read = dialog.getByRole('button', { name: t('admin-relay-certificate-look') });
  await read.click();
  await dialog.getByText(t('error-station-offline')).waitFor();
  const gate = (await sent('get', `/buildings/${building.id}/panels`)).find((one) => one.door_station);
  const made = await sent('post', `/panels/${gate.id}/door-station`);
  const { host, port } = made.servers.find(({ transport }) => transport === 'udp');
  registers = await register('127.0.0.4', { server: `${host}:${port}`, user: made.user_name, password: made.password });
  const list = await context.newPage();
  await list.goto(`${origin}/admin/buildings/${building.id}/panels`);
  await new Admin(list).row(gate.name).getByText(t('admin-online')).waitFor();
  await list.close();
  const web = await Web.start('127.0.0.4');
  await field('admin-relay-port').fill(String(web.port));
  await read.click();
  await dialog.getByText(web.fingerprint, { exact: true }).waitFor();
  await everySize('admin-relay-certificate', read);
  await dialog.getByRole('button', { name: t('admin-relay-certificate-take') }).click();
  await dialog.getByText(t('admin-relay-certificate-taken')).waitFor();
  await save();
  await dialog.waitFor({ state: 'detached' });
  await dismissToasts(page);
  await edit();
  await dialog.getByText(web.fingerprint, { exact: true }).waitFor();
  await read.click();
  await dialog.getByText(t('admin-relay-certificate-same')).waitFor();
  await everySize('admin-relay-certificate-taken', read);
  await dialog.getByRole('button', { name: t('common-cancel') }).click();
  await dialog.waitFor({ state: 'detached' });
  await web.stop();

  // the door itself is another matter: what is typed there is saved there
  await row.getByRole('button', { name: t('admin-edit', { name: 'Street door' }) }).click();
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Front door');
  await save();
  await dialog.waitFor({ state: 'detached' });
  row = admin.row('Front door');
  await row.getByText(t('admin-door-by-station')).waitFor();

  name = 'Front door';
  await edit();
  await dialog.getByText(t('admin-relay-weak')).waitFor();
  assert.equal(await field('admin-relay-user').inputValue(), 'klinke');
  assert.equal(await field('admin-sip-password').inputValue(), '', 'a password is not shown again');
  await dialog.getByRole('button', { name: t('admin-relay-remove') }).click();
  await dialog.waitFor({ state: 'detached' });
  await row.getByText(t('admin-no-controller'), { exact: true }).first().waitFor();
});

/** The colours of the left, the middle and the right third of a picture. `blank`: a page without rules of what it may load. */
async function thirds(blank, png) {
  const address = `data:image/png;base64,${png.toString('base64')}`;
  return blank.evaluate(async (from) => {
    const image = await createImageBitmap(await (await fetch(from)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
    canvas.drawImage(image, 0, 0);
    return [1, 3, 5].map((sixth) => [...canvas.getImageData((image.width * sixth) / 6, image.height / 2, 1, 1).data.slice(0, 3)]);
  }, address);
}

/** Red, green and blue, as far as a film and two codecs leave them. */
const isBars = (colours) => colours.every((colour, third) => colour.every((part, channel) => (third === channel ? part > 150 : part < 110)));

test('the display of a desk phone shows what the camera of a panel in the browser films', async () => {
  const drawn = await context.newPage();
  const blank = await context.newPage();
  await drawn.setViewportSize({ width: 640, height: 480 });
  const bar = (colour) => `<div style="flex: 1; background: ${colour}"></div>`;
  await drawn.setContent(`<body style="margin: 0; display: flex; height: 100vh">${['#f00', '#0f0', '#00f'].map(bar).join('')}</body>`);
  const film = filmOf(await drawn.screenshot({ type: 'jpeg', quality: 95 }), 'bars');
  await drawn.close();
  const visitors = await launch(VISITOR_HZ, film);
  let phone;
  try {
    const visitor = await (await device(visitors, 'panel', { origin })).newPage();
    await visitor.goto(`${origin}/panel`);
    const [code] = /\d{4} \d{4}/.exec(await visitor.getByText(/\d{4} \d{4}/).innerText());
    const hung = await sent('post', `/buildings/${building.id}/panels`, { code, name: 'At the door', doors: [door.id] });
    await sent('post', `/buildings/${building.id}/bells`, { panel: hung.id, unit: unit.id, label: 'Nordmann', kind: 'individual' });
    const given = await sent('post', `/people/${resident.id}/sip-devices`, { name: 'Kitchen' });
    phone = await DeskPhone.start('127.0.0.5', given);
    const isThere = async () => (await sent('get', `/people/${resident.id}/sip-devices`)).find(({ id }) => id === given.id).registered;
    await until('a registration', isThere);

    const panel = new Panel(visitor, { url: `${origin}/panel` });
    await panel.ready();
    await panel.ring({ label: 'Nordmann', unit: '1101', kind: 'individual' });
    await phone.rings();
    phone.pickUp();
    await panel.talks();
    let seen;
    await until('the bars on the display', async () => isBars((seen = await thirds(blank, await phone.display())))).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
    });
    await panel.showsNobody();
    phone.hangUp();
    await panel.backToNames();
  } finally {
    await phone?.stop();
    await visitors.close();
    await blank.close();
  }
});
