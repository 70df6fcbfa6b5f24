// What a property is made of is changed and removed through the pages; roles are given, and looked through.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { look } from '../support/looks.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

async function manager(world, size = 'desktop') {
  const admin = new Admin(await world.page(size));
  const { admin_url, administrator } = world.demo.told;
  await admin.signIn(admin_url, administrator);
  await admin.enter(world.town.building);
  return admin;
}

scenario('a door is changed, taken back, and its conflict is merged', async (world) => {
  const admin = await manager(world);
  const { page, dialog } = admin;
  const building = new URL(page.url()).pathname.split('/')[3];
  const api = page.context().request;
  const { origin } = world.demo;
  await admin.section('admin-section-doors');
  const doors = await (await api.get(`${origin}/api/v1/buildings/${building}/doors`)).json();
  const { id, name, times } = doors[0];
  const edit = (of) => page.getByRole('button', { name: t('admin-edit', { name: of }), exact: true }).click();
  const save = () => dialog.getByRole('button', { name: t('admin-ground-save') }).click();

  await edit(name);
  await dialog.getByLabel(t('admin-door-release'), { exact: true }).fill('0');
  await save();
  await dialog.getByText(t('admin-form-wrong')).waitFor();
  await dialog.getByLabel(t('admin-door-release'), { exact: true }).fill('8');
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Courtyard');
  await look(page, 'admin-edit-door');
  await save();
  await dialog.waitFor({ state: 'hidden' });
  await admin.row('Courtyard').waitFor();
  await page.getByRole('button', { name: t('admin-ground-undo') }).click();
  await admin.row(name).first().waitFor();
  const door = async () => (await api.get(`${origin}/api/v1/doors/${id}`)).json();
  assert.deepEqual((await door()).door.times, times);

  // somebody else is quicker with one field, and with the same field
  await edit(name);
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Mine');
  await dialog.getByLabel(t('admin-door-release'), { exact: true }).fill('9');
  const { version } = await door();
  const theirs = await api.patch(`${origin}/api/v1/doors/${id}`, { headers: { origin }, data: { version, name: 'Theirs' } });
  assert.equal(theirs.status(), 200);
  await save();
  const clash = page.getByRole('dialog').filter({ hasText: t('admin-ground-conflict') });
  await clash.getByRole('radio').first().check();
  await look(page, 'admin-edit-conflict');
  await clash.getByRole('button', { name: t('admin-ground-conflict-save') }).click();
  await admin.row('Mine').waitFor();
  assert.equal((await door()).door.times.release_ms, 9_000);

  const section = page.url();
  await page.goto(section.replace('/doors', '/units'));
  await admin.loaded();
  await page.getByRole('button', { name: /^Change Entrance|^Change /, exact: false }).first().click();
  await dialog.getByRole('button', { name: t('admin-part-remove-open') }).click();
  await dialog.getByText(/must be moved or removed first/).waitFor();
  await look(page, 'admin-remove-blocked');
  await dialog.getByRole('button', { name: t('common-cancel') }).click();

  await admin.section('admin-section-overview');
  await page.getByRole('button', { name: t('admin-edit-building') }).click();
  await look(page, 'admin-edit-building');
  await dialog.getByRole('button', { name: t('admin-part-remove-open') }).click();
  await dialog.getByText(/must be moved or removed first/).waitFor();
}, { fresh: true });

scenario('an empty building is removed by typing its name', async (world) => {
  const admin = await manager(world);
  const { page, dialog } = admin;
  const { origin } = world.demo;
  const api = page.context().request;
  const data = { name: 'Shed', address: 'Back yard 1', kind: 'mixed', time_zone: 'Europe/Oslo' };
  const made = await (await api.post(`${origin}/api/v1/buildings`, { headers: { origin }, data })).json();
  await api.post(`${origin}/api/v1/buildings/${made.id}/entrances`, { headers: { origin }, data: { name: 'Side' } });
  await page.goto(`${origin}/admin/buildings/${made.id}`);
  await admin.loaded();
  await page.getByRole('button', { name: t('admin-edit-building') }).click();
  await dialog.getByRole('button', { name: t('admin-part-remove-open') }).click();
  const remove = dialog.getByRole('button', { name: t('admin-part-remove'), exact: true });
  assert.ok(await remove.isDisabled());
  await dialog.getByLabel(t('admin-part-type-name', { name: 'Shed' })).fill('Shed');
  await look(page, 'admin-remove-building');
  await remove.click();
  await page.waitForURL(`${origin}/admin*`);
  assert.equal((await api.get(`${origin}/api/v1/buildings/${made.id}`)).status(), 404);
}, { fresh: true });

scenario('a role is given on the page, seen by the others, and looked through', async (world) => {
  const admin = await manager(world);
  const { page, dialog } = admin;
  const { origin } = world.demo;
  const api = page.context().request;
  const resident = world.town.bells.flatMap((bell) => bell.residents).find((one) => one);
  await admin.section('admin-section-roles');
  await page.getByRole('button', { name: t('admin-role-give') }).click();
  const give = dialog.getByRole('button', { name: t('admin-role-give') });
  assert.ok(await give.isDisabled());
  await dialog.getByLabel(t('admin-pick-person')).fill(resident.name.slice(0, 5));
  await dialog.getByRole('radio', { name: new RegExp(resident.name) }).first().check();
  await dialog.getByRole('radio', { name: new RegExp(`^${t('admin-role-auditor')}`) }).check();
  await look(page, 'admin-role-give');
  await give.click();
  await dialog.waitFor({ state: 'hidden' });
  const row = admin.row(t('admin-role-auditor')).filter({ hasText: resident.name });
  await row.getByText(t('admin-role-unbound')).waitFor();
  await page.getByText(/role changes? in the last 30 days/).click();
  await page.getByText(t('admin-role-given-by', { by: '', name: resident.name, role: t('admin-role-auditor') }).trim()).first().waitFor();
  await look(page, 'admin-roles-given');
  await page.getByRole('button', { name: t('admin-ground-undo') }).click();
  await row.waitFor({ state: 'hidden' });

  await page.getByRole('button', { name: t('admin-view-as', { role: t('admin-role-caretaker') }) }).click();
  const banner = page.getByRole('complementary', { name: t('admin-viewing-label') });
  await banner.waitFor();
  await page.goto(page.url().replace('/roles', ''));
  await banner.waitFor();
  await admin.loaded();
  const parts = await page.getByRole('navigation').getByRole('link').allInnerTexts();
  assert.ok(parts.some((part) => part.includes(t('admin-section-panels'))), parts.join());
  assert.ok(!parts.some((part) => part.includes(t('admin-section-bells'))), parts.join());
  await look(page, 'admin-view-as');
  const building = new URL(page.url()).pathname.split('/')[3];
  const headers = { origin, 'klinke-view-as': `caretaker@${building}` };
  assert.equal((await api.get(`${origin}/api/v1/buildings/${building}/bells`, { headers })).status(), 403);
  const change = await api.post(`${origin}/api/v1/buildings/${building}/entrances`, { headers, data: { name: 'X' } });
  assert.equal((await change.json()).code, 'viewing_only');
  await banner.getByRole('button', { name: t('admin-viewing-stop') }).click();
  await banner.waitFor({ state: 'hidden' });
  await page.getByRole('navigation').getByRole('link', { name: t('admin-section-bells'), exact: true }).waitFor();
}, { fresh: true });
