// A new panel and a new door controller: the device shows a code, the administrator types it.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin } from '../support/admin.mjs';
import { KLINKE_DOOR, Program } from '../support/program.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();
const CODE = /\d{4} \d{4}/;

async function administrator(world) {
  const admin = new Admin(await world.page('desktop'));
  const { admin_url, administrator } = world.demo.told;
  await admin.signIn(admin_url, administrator);
  await admin.enter(world.town.building);
  return admin;
}

scenario('a panel shows a code, is added with it, and comes online without anybody touching it', async (world) => {
  const panel = await world.page('panel');
  await panel.goto(`${world.demo.origin}/panel`);
  const code = await panel.getByText(CODE).innerText();

  const admin = await administrator(world);
  await admin.section('admin-section-panels');
  await admin.page.getByRole('button', { name: t('admin-panel-add') }).click();
  const { dialog } = admin;
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Basement');
  const add = dialog.getByRole('button', { name: t('admin-panel-add') });
  await dialog.getByLabel(t('admin-code'), { exact: true }).fill('0000 0000');
  await add.click();
  await dialog.getByText(t('error-unknown-code')).waitFor();
  await dialog.getByLabel(t('admin-code'), { exact: true }).fill(CODE.exec(code)[0]);
  await add.click();
  await dialog.waitFor({ state: 'hidden' });

  await panel.getByText(t('panel-empty'), { exact: true }).waitFor();
  await admin.row('Basement').getByText(t('admin-online')).waitFor();

  // the key stays: it needs no code after a restart, and the same code adds nothing more
  await panel.reload();
  await panel.getByText(t('panel-empty'), { exact: true }).waitFor();
  await panel.close();
  await admin.row('Basement').getByText(t('admin-offline')).waitFor();
});

scenario('a controller is paired with the command and the code, and comes online', async (world) => {
  const admin = await administrator(world);
  await admin.section('admin-section-controllers');
  await admin.page.getByRole('button', { name: t('admin-controller-add') }).click();
  const { dialog } = admin;
  const command = await dialog.getByLabel(t('admin-controller-command')).innerText();
  const [program, ...words] = command.trim().split(/\s+/);
  assert.equal(program, 'klinke-door');
  const state = words.indexOf('--state') + 1;
  assert.equal(words[state], '/var/lib/klinke-door');
  const folder = await mkdtemp(join(tmpdir(), 'klinke-door-'));
  words[state] = join(folder, 'state');

  const pairing = new Program(KLINKE_DOOR, words);
  let running;
  try {
    const [code] = await pairing.prints(CODE);
    await dialog.getByLabel(t('admin-code'), { exact: true }).fill(code);
    await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Basement');
    await dialog.getByRole('button', { name: t('admin-controller-add') }).click();
    await dialog.waitFor({ state: 'hidden' });
    await pairing.prints(/Paired\./);
    const row = admin.row('Basement');
    // since when stands beside it
    await row.getByText(t('admin-offline'), { exact: true }).waitFor();

    const server = words[words.indexOf('--server') + 1];
    running = new Program(KLINKE_DOOR, ['run', '--simulated', '--server', server, '--state', words[state]]);
    await row.getByText(t('admin-online')).waitFor();
    await row.getByText(/^\d+\.\d+\.\d+$/).waitFor();
  } finally {
    await pairing.stop();
    await running?.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
