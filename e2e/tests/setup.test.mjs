// A server from nothing: no owner, no password, one code on its console.

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

const OWNER = { user_name: 'styret', password: 'gul sykkel i regnet' };
const LISTEN = '127.0.0.1:0';

let browser;
let folder;
let server;
before(async () => {
  browser = await launch(RESIDENT_HZ);
  folder = await mkdtemp(join(tmpdir(), 'klinke-setup-'));
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

test('who reads the console takes the installation into use, and nobody else', async () => {
  const [, origin] = await server.prints(/Klinke is at (\S+)/);
  const [, code] = await server.prints(/type this code: (\S+)/);
  const context = await device(browser, 'desktop');
  const page = await context.newPage();

  const closed = await context.request.post(`${origin}/api/v1/session`, {
    headers: { origin },
    data: { ...OWNER, device_name: 'tests' },
  });
  assert.equal(closed.status(), 503);
  assert.equal((await closed.json()).code, 'not_set_up');

  await page.goto(`${origin}/app`);
  await page.getByText(t('app-not-set-up'), { exact: true }).waitFor();
  await look(page, 'app-not-set-up');
  await page.getByRole('link', { name: t('app-not-set-up-link') }).click();

  await page.getByRole('heading', { level: 1, name: t('admin-claim') }).waitFor();
  await look(page, 'admin-claim');
  const field = (key) => page.getByLabel(t(key), { exact: true });
  // as it is printed but for one letter
  const wrong = (code[0] === '2' ? '3' : '2') + code.slice(1);
  await field('admin-claim-code').fill(wrong);
  await field('admin-claim-organisation').fill('Borettslaget Nordlys');
  await field('admin-claim-name').fill('Kari Styreleder');
  await field('app-user-name').fill(OWNER.user_name);
  await field('app-password').fill(OWNER.password);
  const claim = page.getByRole('button', { name: t('admin-claim-do') });
  await claim.click();
  await page.getByText(t('error-wrong-code'), { exact: true }).waitFor();
  await look(page, 'admin-claim-wrong-code');
  // the field that is wrong has the focus: type over it
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type(code);
  await claim.click();

  const admin = new Admin(page);
  await admin.ready();
  await page.getByRole('button', { name: t('admin-confidentiality-accept') }).click();
  await page.getByText(t('admin-buildings-none'), { exact: true }).waitFor();
  await look(page, 'admin-no-buildings');

  // the code is worth nothing from now on
  const again = await context.request.post(`${origin}/api/v1/setup/claim`, {
    headers: { origin },
    data: { code, organisation: 'Other', name: 'Other', user_name: 'other', password: 'another long password' },
  });
  assert.equal(again.status(), 410);

  await page.getByRole('button', { name: t('app-sign-out') }).click();
  await page.getByRole('button', { name: t('app-sign-in'), exact: true }).waitFor();
  await admin.signIn(`${origin}/admin`, OWNER);
  await context.close();
});
