// A new building, by its checklist alone: from nothing to a doorbell that rings, shows the visitor, and opens the door.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Admin } from '../support/admin.mjs';
import { App } from '../support/app.mjs';
import { device, launch } from '../support/browser.mjs';
import { look } from '../support/looks.mjs';
import { Panel } from '../support/panel.mjs';
import { KLINKE, KLINKE_DOOR, Program } from '../support/program.mjs';
import { RESIDENT_HZ, VISITOR_HZ } from '../support/sound.mjs';
import { t } from '../support/texts.mjs';

const OWNER = { user_name: 'styret', password: 'gul sykkel i regnet' };
const RESIDENT = 'lang kveld ved sjøen';
const LISTEN = '127.0.0.1:0';
const CODE = /\d{4} \d{4}/;

let visitors;
let residents;
let folder;
const programs = [];
const run = (...words) => {
  const program = new Program(...words);
  programs.push(program);
  return program;
};
before(async () => {
  [visitors, residents] = await Promise.all([launch(VISITOR_HZ), launch(RESIDENT_HZ)]);
  folder = await mkdtemp(join(tmpdir(), 'klinke-checklist-'));
});
after(async () => {
  for (const program of programs.toReversed()) await program.stop();
  await Promise.all([visitors, residents].map((browser) => browser?.close()));
  await rm(folder, { recursive: true, force: true });
});

test('the checklist of a new building ends with a doorbell that works, through the pages alone', async () => {
  const server = run(KLINKE, ['serve'], {
    cwd: folder,
    env: {
      KLINKE_DATA__FOLDER: join(folder, 'data'),
      KLINKE_HTTP__LISTEN: LISTEN,
      KLINKE_CONTROLLERS__LISTEN: LISTEN,
      KLINKE_MEDIA__LISTEN: LISTEN,
    },
  });
  const [, origin] = await server.prints(/Klinke is at (\S+)/);
  const [, code] = await server.prints(/type this code: (\S+)/);
  const page = await (await device(residents, 'desktop', { origin })).newPage();
  const admin = new Admin(page);
  const data = { code, organisation: 'Nordlys', name: 'Kari Styreleder', ...OWNER };
  const claimed = await page.context().request.post(`${origin}/api/v1/setup/claim`, { headers: { origin }, data });
  assert.equal(claimed.status(), 201);
  await page.goto(`${origin}/admin`);
  await admin.accept();

  const { dialog } = admin;
  const fill = (key, text) => dialog.getByLabel(t(key), { exact: true }).fill(text);
  const send = (key) => dialog.getByRole('button', { name: t(key) }).click();
  const gone = () => dialog.waitFor({ state: 'hidden' });
  const step = (key) => page.getByRole('button', { name: t(key) }).click();
  const follow = (key) => page.getByRole('main').getByRole('link', { name: t(key) }).click();
  const back = () => admin.section('admin-section-overview');

  await page.getByRole('button', { name: t('admin-building-new') }).click();
  await fill('admin-name', 'Solsiden');
  await fill('admin-address', 'Solveien 1');
  await fill('admin-time-zone', 'Europe/Oslo');
  await send('admin-building-new');
  await step('admin-checklist-entrances');
  await fill('admin-name', 'Solveien 1');
  await send('admin-add-entrances');
  await gone();
  await step('admin-checklist-doors');
  await fill('admin-name', 'Street door');
  await send('admin-add-doors');
  await gone();
  await step('admin-checklist-units');
  await fill('admin-add-numbers', '101-103');
  await send('admin-add-units');
  await gone();

  await follow('admin-checklist-people');
  await page.getByRole('button', { name: t('admin-person-add') }).first().click();
  await dialog.getByLabel(t('admin-name')).fill('Siri Sol');
  await dialog.getByLabel(t('admin-unit'), { exact: true }).selectOption({ label: '101' });
  await send('admin-person-add');
  // no mail server is there: the link is shown, to hand over
  const link = await dialog.locator('.link').innerText();
  const user_name = await dialog.locator('strong').last().innerText();
  await page.keyboard.press('Escape');
  await back();

  const visitor = await (await device(visitors, 'panel', { origin })).newPage();
  await visitor.goto(`${origin}/panel`);
  const shown = await visitor.getByText(CODE).innerText();
  await follow('admin-checklist-panels');
  await page.getByRole('button', { name: t('admin-panel-add') }).click();
  await fill('admin-code', CODE.exec(shown)[0]);
  await fill('admin-name', 'At the door');
  await dialog.getByLabel('Street door').check();
  await send('admin-panel-add');
  await gone();
  await back();

  // the controller is paired without a door, and the door is wired afterwards
  await follow('admin-checklist-controllers');
  await page.getByRole('button', { name: t('admin-controller-add') }).click();
  const words = (await dialog.getByLabel(t('admin-controller-command')).innerText()).trim().split(/\s+/).slice(1);
  const state = words.indexOf('--state') + 1;
  words[state] = join(folder, 'door');
  const pairing = run(KLINKE_DOOR, words);
  const [typed] = await pairing.prints(CODE);
  await fill('admin-code', typed);
  await fill('admin-name', 'Basement');
  await send('admin-controller-add');
  await gone();
  await pairing.prints(/Paired\./);
  run(KLINKE_DOOR, ['run', '--simulated', '--server', words[words.indexOf('--server') + 1], '--state', words[state]]);
  await admin.row('Basement').getByText(t('admin-online')).waitFor();
  await back();
  await follow('admin-checklist-doors-assigned');
  await page.getByRole('button', { name: t('admin-edit', { name: 'Street door' }) }).click();
  await dialog.getByLabel(t('admin-controller'), { exact: true }).selectOption({ label: 'Basement' });
  await look(page, 'admin-door-wiring');
  await dialog.getByRole('button', { name: t('admin-ground-save') }).click();
  await gone();
  await admin.row('Street door').getByText('Basement').waitFor();
  await back();

  await step('admin-checklist-bells');
  await fill('admin-bell-text', 'Sol');
  await send('admin-add-bells');
  await gone();
  await page.getByRole('link', { name: t('admin-checklist-reachable') }).waitFor();
  await look(page, 'admin-checklist-nearly');

  // Siri follows her link and signs in; the checklist says that all is there
  const app = new App(await (await device(residents, 'phone', { origin })).newPage(), { name: 'Siri Sol', user_name, password: RESIDENT });
  await app.page.goto(link);
  await app.page.getByLabel(t('app-password'), { exact: true }).fill(RESIDENT);
  await app.page.locator('form button[type=submit]').click();
  await app.ready();
  await page.getByText(t('admin-checklist-whole')).waitFor();
  await look(page, 'admin-checklist-whole');

  const panel = new Panel(visitor, { url: `${origin}/panel` });
  await visitor.reload();
  await visitor.getByText('Sol', { exact: true }).first().waitFor();
  await panel.ring({ label: 'Sol', unit: '101', kind: 'parallel' });
  await app.rings();
  await app.answer();
  await app.seesPicture();
  await app.openDoor();
  await panel.showsOpen();
});
