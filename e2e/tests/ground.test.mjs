// The ground of the administrator's pages: the palette; and that a panel that is not used sends nothing.
// Runs alone: the packets of a call.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { fits, look } from '../support/looks.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

async function administrator(world, size = 'desktop') {
  const admin = new Admin(await world.page(size));
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  return admin;
}

scenario('a unit is found with three keys and Enter, and by mouse', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  await admin.enter(world.town.building);
  await admin.section('admin-section-units');
  const unit = (await page.getByRole('rowheader').last().innerText()).trim();

  await page.keyboard.press('Control+k');
  const field = page.getByRole('combobox', { name: t('admin-ground-find-what') });
  await field.waitFor();
  assert.ok(await field.evaluate((input) => input === document.activeElement), 'the field has no focus');
  await look(page, 'admin-palette');
  await page.keyboard.press('Escape');
  await field.waitFor({ state: 'hidden' });

  await page.getByRole('button', { name: t('admin-ground-find') }).click();
  await field.fill(unit);
  const first = page.getByRole('listbox').getByRole('option').first();
  await first.getByText(unit, { exact: true }).waitFor();
  assert.equal(await first.getAttribute('aria-selected'), 'true');
  await look(page, 'admin-palette-unit', { forced: true });
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: t('admin-section-units') }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('text'), unit);
  await admin.row(unit).waitFor();

  // three keys lead to a page, too
  await page.keyboard.press('Control+k');
  for (const key of t('admin-section-panels').slice(0, 3)) await page.keyboard.press(key);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: t('admin-section-panels') }).waitFor();

  // and to something to do: the dialog is there, and going back takes it away
  await page.keyboard.press('Control+k');
  await field.fill(t('admin-controller-add'));
  await page.getByRole('listbox').getByRole('option', { name: t('admin-controller-add') }).click();
  await page.getByRole('dialog', { name: t('admin-controller-add') }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: t('admin-section-panels') }).waitFor();
});

scenario('a person is found with three keys and Enter, and moved out from there', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  await admin.enter(world.town.building);
  // who is alone in beginning so
  const names = world.demo.told.sign_ins.map(({ name }) => name);
  const name = names.find((one) => one.split(' ').length > 1 && names.filter((other) => other.startsWith(one.slice(0, 3))).length === 1);
  await page.keyboard.press('Control+k');
  const typed = name.slice(0, 3);
  for (const key of typed) await page.keyboard.press(key);
  const first = page.getByRole('listbox').getByRole('option').first();
  await first.getByText(typed).waitFor();
  await look(page, 'admin-palette-person');
  const found = await first.locator('.title').innerText();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 2, name: found }).waitFor();
  await page.getByRole('heading', { level: 1, name: t('admin-section-people') }).waitFor();
  assert.equal(new URL(page.url()).search, '', 'it is opened once');
  await look(page, 'admin-peek');
  // the list stays in use beside it, and Escape closes it
  await page.getByRole('searchbox').fill(name.split(' ')[0]);
  await admin.row(name).waitFor();
  await page.getByRole('heading', { level: 2, name: found }).focus();
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { level: 2, name: found }).waitFor({ state: 'detached' });

  await page.keyboard.press('Control+k');
  await page.keyboard.type(`${t('admin-move-out').toLowerCase()} ${name.toLowerCase()}`);
  await page.getByRole('listbox').getByRole('option', { name: `${t('admin-move-out')}: ${name}` }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await look(page, 'admin-palette-move-out');
});

scenario('the palette on a phone', async (world) => {
  const admin = await administrator(world, 'phone');
  const { page } = admin;
  await admin.enter(world.town.building);
  await page.getByRole('button', { name: t('admin-ground-find') }).click();
  await page.getByRole('listbox').getByRole('option').first().waitFor();
  await look(page, 'admin-palette-phone');
  await fits(page, 'admin-palette-phone');
  await page.getByRole('button', { name: t('common-close') }).click();
});

/** What a page sends: its open connections, and the packets that have left over them. */
const sending = (page) =>
  page.evaluate(async () => {
    const open = [...window.klinkeTest.connections].filter(({ signalingState }) => signalingState !== 'closed');
    const reports = await Promise.all(open.map((connection) => connection.getStats()));
    const packets = reports.flatMap((report) => [...report.values()]).filter(({ type }) => type === 'outbound-rtp').map(({ packetsSent }) => packetsSent);
    return { open: open.length, packets: packets.reduce((sum, sent) => sum + sent, 0), ever: window.klinkeTest.connections.size };
  });

scenario('a panel sends nothing before somebody rings, nor after they hung up', async (world) => {
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  assert.deepEqual(await sending(panel.page), { open: 0, packets: 0, ever: 0 }, 'at rest');

  await panel.ring(bell);
  await app.rings();
  await app.seesPicture();
  const during = await sending(panel.page);
  assert.ok(during.open === 1 && during.packets > 0, `during the call: ${JSON.stringify(during)}`);
  await app.answer();
  await panel.talks();
  await app.hangUp();
  await panel.backToNames();
  const after = await sending(panel.page);
  assert.deepEqual([after.open, after.packets], [0, 0], 'after the call');
  assert.ok(after.ever >= 1);
});
