// Other systems: a webhook from the page to a receiver that checks signatures with the specification's own library.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { Admin } from '../support/admin.mjs';
import { device, launch, SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { KLINKE, Program } from '../support/program.mjs';
import { RESIDENT_HZ } from '../support/sound.mjs';
import { pattern, t } from '../support/texts.mjs';

const OWNER = { user_name: 'styret', password: 'gul sykkel i regnet' };
const LISTEN = '127.0.0.1:0';

/** Somebody else's system: keeps what it was sent, answers what it is told to. */
class Receiver {
  heard = [];
  answer = 204;
  #waiting = new Set();
  #server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    this.heard.push({ headers: request.headers, body });
    response.writeHead(this.answer).end();
    for (const look of this.#waiting) look();
  });

  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://localhost:${this.#server.address().port}/in`;
    return this;
  }

  /** Waits for a message of this type. */
  async message(type) {
    const find = () => this.heard.find(({ body }) => JSON.parse(body).type === type);
    const late = AbortSignal.timeout(20_000);
    while (!find()) {
      await new Promise((resolve, reject) => {
        this.#waiting.add(resolve);
        late.addEventListener('abort', () => reject(new Error(`${type} never came: ${JSON.stringify(this.heard)}`)));
      });
    }
    return find();
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let browser;
let folder;
let server;
let receiver;
before(async () => {
  browser = await launch(RESIDENT_HZ);
  receiver = await new Receiver().start();
  folder = await mkdtemp(join(tmpdir(), 'klinke-hooks-'));
  server = new Program(KLINKE, ['serve'], {
    cwd: folder,
    env: {
      KLINKE_DATA__FOLDER: join(folder, 'data'),
      KLINKE_HTTP__LISTEN: LISTEN,
      KLINKE_CONTROLLERS__LISTEN: LISTEN,
      KLINKE_MEDIA__LISTEN: LISTEN,
      KLINKE_WEBHOOKS__HOSTS: '["localhost"]',
      KLINKE_WEBHOOKS__ALLOW_PRIVATE: '["127.0.0.0/8", "::1/128"]',
    },
  });
});
after(async () => {
  await server?.stop();
  receiver?.stop();
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

test('an administrator has another system told, tests it, changes the secret, sees it fail, and removes it', async () => {
  const [, origin] = await server.prints(/Klinke is at (\S+)/);
  const [, code] = await server.prints(/type this code: (\S+)/);
  const context = await device(browser, 'desktop');
  const page = await context.newPage();
  const admin = new Admin(page);
  const headers = { origin };
  const post = async (path, data) => {
    const answer = await context.request.post(`${origin}/api/v1${path}`, { headers, data });
    assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
    return answer.status() === 204 ? undefined : answer.json();
  };
  await post('/setup/claim', { code, organisation: 'Nordlys', name: 'Kari Styreleder', ...OWNER });
  await post('/confidentiality', { version: 1 });
  const building = await post('/buildings', { name: 'Bjørkeveien', address: 'Bjørkeveien 4', kind: 'residential', time_zone: 'Europe/Oslo' });
  const entrance = await post(`/buildings/${building.id}/entrances`, { name: 'A' });

  await page.goto(`${origin}/admin/integrations`);
  await page.getByRole('heading', { level: 1, name: t('admin-integrations') }).waitFor();
  await page.getByText(t('admin-webhooks-none'), { exact: true }).waitFor();
  await look(page, 'admin-integrations-none');
  await page.getByRole('button', { name: t('admin-webhook-add') }).click();
  const { dialog } = admin;
  await dialog.getByLabel(t('admin-webhook-url'), { exact: true }).fill('https://example.org/in');
  await dialog.getByRole('button', { name: t('admin-webhook-add') }).click();
  await dialog.getByText(t('error-host-not-allowed')).first().waitFor();
  await look(page, 'admin-webhook-add');
  await dialog.getByLabel(t('admin-webhook-url'), { exact: true }).fill(receiver.url);
  await dialog.getByRole('button', { name: t('admin-webhook-add') }).click();
  await page.getByRole('heading', { name: t('admin-webhook-secret') }).waitFor();
  const first = await dialog.locator('code').innerText();
  await look(page, 'admin-webhook-secret');
  await dialog.getByRole('button', { name: t('admin-webhook-secret-kept') }).click();
  await page.getByText(t('admin-webhook-on'), { exact: true }).waitFor();

  const button = (key) => page.getByRole('button', { name: t(key, { url: receiver.url }) });
  await button('admin-webhook-test-one').click();
  await page.getByText(t('admin-webhook-test-taken', { status: '204' })).waitFor();
  const tested = await receiver.message('webhook.test');
  assert.equal(new Webhook(first).verify(tested.body, tested.headers).type, 'webhook.test');
  assert.throws(() => new Webhook(first).verify(`${tested.body} `, tested.headers));

  await button('admin-webhook-rotate-one').click();
  await page.getByRole('heading', { name: t('admin-webhook-secret') }).waitFor();
  const second = await dialog.locator('code').innerText();
  await dialog.getByRole('button', { name: t('admin-webhook-secret-kept') }).click();
  await post(`/buildings/${building.id}/units`, { entrance: entrance.id, numbers: '1101', doors: [] });
  const told = await receiver.message('unit.created');
  for (const secret of [first, second]) {
    const message = new Webhook(secret).verify(told.body, told.headers);
    assert.equal(message.data.building, building.id);
  }
  assert.ok(!told.body.includes('1101'), 'ids only');

  receiver.answer = 503;
  const { items: [unit] } = await (await context.request.get(`${origin}/api/v1/buildings/${building.id}/units`)).json();
  await post('/people', { name: 'Ola Nordmann', language: 'nb', homes: [{ unit: unit.id, owner: false }] });
  await page.getByText(t('admin-webhook-waiting', { count: '2' })).waitFor();
  await page.getByText(pattern('admin-webhook-failing', { why: t('admin-webhook-why-http', { status: '503' }) })).waitFor();
  await look(page, 'admin-integrations-failing');
  await page.setViewportSize(SIZES.phone);
  await fits(page, 'admin-integrations on a phone');
  await look(page, 'admin-integrations-failing-phone');
  await page.setViewportSize(SIZES.desktop);

  // switched off by an edit, which forgets what waits
  await button('admin-webhook-edit-one').click();
  await dialog.getByLabel(t('admin-webhook-enabled'), { exact: true }).uncheck();
  await dialog.getByRole('button', { name: t('admin-ground-save') }).click();
  await page.getByText(t('admin-webhook-off'), { exact: true }).waitFor();
  await button('admin-webhook-remove-one').click();
  await dialog.getByRole('button', { name: t('admin-webhook-remove') }).click();
  await page.getByText(t('admin-webhooks-none'), { exact: true }).waitFor();
  await context.close();
});

test('a person is signed out, deleted, and gone from the changes, whose chain still holds', async () => {
  const [, origin] = await server.prints(/Klinke is at (\S+)/);
  const context = await device(browser, 'desktop');
  const headers = { origin };
  const { request } = context;
  const sent = async (method, path, data) => {
    const answer = await request[method](`${origin}/api/v1${path}`, { headers, ...(data && { data }) });
    assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
    return answer.status() === 204 ? undefined : answer.json();
  };
  await sent('post', '/session', { ...OWNER, device_name: 'tests' });
  const [building] = await sent('get', '/buildings');
  const { items: [unit] } = await sent('get', `/buildings/${building.id}/units`);
  const name = 'Siri Slettmeg';
  const person = await sent('post', '/people', { name, email: 'siri@example.org', language: 'nb', homes: [{ unit: unit.id, owner: false }] });
  const page = await context.newPage();
  const people = `${origin}/admin/buildings/${building.id}/people?person=${person.id}`;

  await page.goto(`${origin}/admin/changes`);
  await page.getByRole('heading', { level: 1, name: t('admin-section-audit') }).waitFor();
  const added = page.getByRole('listitem').filter({ hasText: t('admin-audit-person-added') }).filter({ hasText: name });
  await added.getByText(`Kari Styreleder · ${t('admin-role-manager')}`).waitFor();
  await added.getByText(unit.number).waitFor();
  assert.match(await added.getByRole('link', { name }).getAttribute('href'), new RegExp(`people\\?person=${person.id}$`));
  await look(page, 'admin-changes');
  await page.setViewportSize(SIZES.phone);
  await fits(page, 'admin-changes on a phone');
  await look(page, 'admin-changes-phone');
  await page.setViewportSize(SIZES.desktop);
  await page.getByLabel(t('admin-audit-kind'), { exact: true }).selectOption('webhook');
  await page.getByText(t('admin-audit-webhook-removed')).waitFor();
  await added.waitFor({ state: 'hidden' });
  const file = await request.get(new URL(await page.getByRole('link', { name: t('admin-people-csv') }).getAttribute('href'), origin).href);
  const text = await file.text();
  assert.ok(text.includes('webhook.made') && !text.includes('person.added'), text);

  await page.goto(people);
  await page.getByRole('button', { name: t('admin-person-sign-out') }).click();
  await page.getByText(t('admin-person-signed-out', { name })).waitFor();
  assert.equal(await page.getByRole('button', { name: t('admin-person-delete') }).count(), 0, 'lives here');
  await sent('delete', `/people/${person.id}/homes/${unit.id}`);
  await page.goto(people);
  await page.getByRole('button', { name: t('admin-person-delete') }).click();
  const asks = page.getByRole('dialog', { name: t('admin-person-delete-title', { name }) });
  const confirm = asks.getByRole('button', { name: t('admin-person-delete') });
  assert.ok(await confirm.isDisabled());
  await look(page, 'admin-person-delete');
  await asks.getByLabel(t('admin-person-delete-type', { word: name })).fill(name);
  await confirm.click();
  await page.getByText(t('admin-person-deleted', { name })).waitFor();
  assert.equal((await request.get(`${origin}/api/v1/people/${person.id}`)).status(), 404);

  await page.goto(`${origin}/admin/changes`);
  await page.getByText(t('admin-audit-person-deleted')).waitFor();
  await page.getByText(t('admin-audit-erased')).first().waitFor();
  assert.equal(await page.getByText(name).count(), 0, 'the name is gone');
  await page.getByRole('button', { name: t('admin-audit-check') }).click();
  await page.getByText(/tampered/).waitFor();
  await look(page, 'admin-changes-erased');
  await context.close();
});
