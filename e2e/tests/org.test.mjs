// A new property manager: confidentiality, a building from nothing to a doorbell on its panel, roles, policy, and the
// audit of it all.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Admin } from '../support/admin.mjs';
import { device, launch } from '../support/browser.mjs';
import { look } from '../support/looks.mjs';
import { KLINKE, Program } from '../support/program.mjs';
import { RESIDENT_HZ } from '../support/sound.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const OWNER = { user_name: 'styret', password: 'gul sykkel i regnet' };
const LISTEN = '127.0.0.1:0';
const CODE = /\d{4} \d{4}/;

let browser;
let folder;
let server;
before(async () => {
  browser = await launch(RESIDENT_HZ);
  folder = await mkdtemp(join(tmpdir(), 'klinke-org-'));
  server = new Program(KLINKE, ['serve'], {
    cwd: folder,
    env: {
      KLINKE_DATA__FOLDER: join(folder, 'data'),
      KLINKE_HTTP__LISTEN: LISTEN,
      KLINKE_CONTROLLERS__LISTEN: LISTEN,
      KLINKE_MEDIA__LISTEN: LISTEN,
    },
  });
});
after(async () => {
  await server?.stop();
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

test('a building is taken from nothing to a panel that shows a doorbell, through the pages', async () => {
  const [, origin] = await server.prints(/Klinke is at (\S+)/);
  const [, code] = await server.prints(/type this code: (\S+)/);
  const context = await device(browser, 'desktop');
  const page = await context.newPage();
  const admin = new Admin(page);
  const headers = { origin };
  const claimed = await context.request.post(`${origin}/api/v1/setup/claim`, {
    headers,
    data: { code, organisation: 'Nordlys', name: 'Kari Styreleder', ...OWNER },
  });
  assert.equal(claimed.status(), 201);

  // nothing of anybody before confidentiality is accepted
  const refused = await context.request.get(`${origin}/api/v1/buildings`);
  assert.equal(refused.status(), 403);
  assert.equal((await refused.json()).code, 'confidentiality_required');
  await page.goto(`${origin}/admin`);
  await page.getByRole('heading', { level: 1, name: t('admin-confidentiality') }).waitFor();
  await look(page, 'admin-confidentiality');
  await admin.accept();

  await page.getByRole('button', { name: t('admin-building-new') }).click();
  const { dialog } = admin;
  const fill = (key, text) => dialog.getByLabel(t(key), { exact: true }).fill(text);
  const send = (key) => dialog.getByRole('button', { name: t(key) }).click();
  const gone = () => dialog.waitFor({ state: 'hidden' });
  await send('admin-building-new');
  await dialog.getByText(t('admin-form-wrong')).waitFor();
  await look(page, 'admin-building-new');
  await fill('admin-name', 'Bjørkeveien borettslag');
  await fill('admin-address', 'Bjørkeveien 4, Oslo');
  await fill('admin-time-zone', 'Europe/Oslo');
  await send('admin-building-new');
  await page.getByRole('heading', { level: 2, name: t('admin-checklist') }).waitFor();
  await admin.loaded();
  await look(page, 'admin-checklist');

  const step = (key) => page.getByRole('button', { name: t(key) });
  await step('admin-checklist-entrances').click();
  await fill('admin-name', 'Bjørkeveien 4 A');
  await send('admin-add-entrances');
  await gone();
  await step('admin-checklist-units').click();
  await fill('admin-add-numbers', '1101-1104, 1201-1204');
  await send('admin-add-units');
  await gone();
  await step('admin-checklist-doors').click();
  await fill('admin-name', 'Entrance A');
  await send('admin-add-doors');
  await gone();

  const visitor = await (await device(browser, 'panel')).newPage();
  await visitor.goto(`${origin}/panel`);
  const shown = await visitor.getByText(CODE).innerText();
  await page.getByRole('link', { name: t('admin-checklist-panels') }).click();
  await page.getByRole('button', { name: t('admin-panel-add') }).click();
  await fill('admin-code', CODE.exec(shown)[0]);
  await fill('admin-name', 'Entrance A');
  await dialog.getByLabel('Entrance A').check();
  await send('admin-panel-add');
  await gone();
  await visitor.getByText(t('panel-empty'), { exact: true }).waitFor();

  await admin.section('admin-section-bells');
  await page.getByRole('button', { name: t('admin-add-bells') }).click();
  await fill('admin-bell-text', 'Haugen');
  await look(page, 'admin-add-bell');
  await send('admin-add-bells');
  await gone();
  await admin.row('Haugen').waitFor();
  // the panel asks again when it begins anew
  await visitor.reload();
  await visitor.getByText('Haugen').first().waitFor();
  await visitor.context().close();

  await admin.section('admin-section-policy');
  await page.getByLabel(t('admin-policy-pictures')).check();
  await page.getByRole('button', { name: t('admin-ground-save') }).click();
  await page.getByText(t('admin-policy-saved')).waitFor();
  await look(page, 'admin-policy');
  await page.reload();
  assert.ok(await page.getByLabel(t('admin-policy-pictures')).isChecked());

  await admin.section('admin-section-roles');
  await admin.row('Kari Styreleder').getByText(t('admin-role-manager'), { exact: true }).waitFor();
  await look(page, 'admin-roles');
  await admin.section('admin-section-audit');
  await page.getByText(t('admin-audit-bell-made')).waitFor();
  await page.getByText(t('admin-audit-policy-changed')).waitFor();
  await page.getByRole('button', { name: t('admin-audit-check') }).click();
  await page.getByText(/tampered/).waitFor();
  await look(page, 'admin-audit');
  await context.close();
});

const scenario = scenarios();
scenario('a caretaker sees devices and no personal data, until the role is taken', async (world) => {
  const kari = world.town.bells.flatMap((bell) => bell.residents).find((one) => one);
  const { admin_url, administrator } = world.demo.told;
  const { origin } = world.demo;
  const manager = new Admin(await world.page('desktop'));
  await manager.signIn(admin_url, administrator);
  await manager.enter(world.town.building);
  const building = new URL(manager.page.url()).pathname.split('/')[3];
  const asManager = manager.page.context().request;

  const page = await world.page('phone');
  const request = page.context().request;
  const headers = { origin };
  const data = { user_name: kari.user_name, password: kari.password, device_name: 'tests' };
  const session = await request.post(`${origin}/api/v1/session`, { headers, data });
  const person = (await session.json()).person.id;
  const given = await asManager.post(`${origin}/api/v1/roles`, { headers, data: { person, role: 'caretaker', building } });
  assert.equal(given.status(), 204, await given.text());

  const caretaker = new Admin(page);
  await page.goto(`${origin}/admin/buildings/${building}`);
  await caretaker.loaded();
  const parts = await page.getByRole('navigation').getByRole('link').allInnerTexts();
  assert.ok(parts.some((part) => part.includes(t('admin-section-panels'))), parts.join());
  for (const key of ['admin-section-bells', 'admin-section-roles', 'admin-section-audit']) {
    assert.ok(!parts.some((part) => part.includes(t(key))), `${key}: ${parts.join()}`);
  }
  await look(page, 'admin-caretaker');
  for (const what of ['bells', 'panels', 'units']) {
    const answer = await request.get(`${origin}/api/v1/buildings/${building}/${what}`);
    assert.equal(answer.status(), what === 'bells' ? 403 : 200, what);
  }

  await manager.section('admin-section-roles');
  // not the row of the table that tells what each role may
  const role = manager.row(t('admin-role-caretaker')).filter({ has: manager.page.getByRole('button') });
  await role.getByRole('button').click();
  await role.waitFor({ state: 'hidden' });
  assert.equal((await request.get(`${origin}/api/v1/buildings/${building}/panels`)).status(), 404);
  await manager.page.getByRole('button', { name: t('admin-ground-undo') }).click();
  await role.waitFor();
  assert.equal((await request.get(`${origin}/api/v1/buildings/${building}/panels`)).status(), 200);
});
