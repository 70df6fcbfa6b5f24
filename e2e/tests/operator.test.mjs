// An operator makes a property manager, whose first administrator comes in by the link; suspends it, and lifts that.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { look } from '../support/looks.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();
const PASSWORD = 'tretten grå katter';

scenario('an operator makes a property manager, and suspends it', async (world) => {
  const { admin_url, administrator } = world.demo.told;
  const { origin } = world.demo;
  const operator = new Admin(await world.page('desktop'));
  const { page, dialog } = operator;
  await operator.signIn(admin_url, administrator);
  await page.getByRole('link', { name: t('admin-operator') }).click();
  await page.getByRole('heading', { level: 1, name: t('admin-operator') }).waitFor();
  await page.getByRole('button', { name: t('admin-tenant-new') }).click();
  const make = dialog.getByRole('button', { name: t('admin-tenant-new') });
  await make.click();
  await dialog.getByText(t('admin-form-wrong')).waitFor();
  await dialog.getByLabel(t('admin-tenant-name')).fill('Sørby Forvaltning');
  await dialog.getByLabel(t('admin-tenant-manager')).fill('Nina Ny');
  await look(page, 'operator-new');
  await make.click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByText(t('admin-tenant-made', { name: 'Sørby Forvaltning' })).waitFor();
  const link = await page.locator('.link').innerText();
  const user_name = await page.locator('.made strong').last().innerText();
  await look(page, 'operator-made');

  const nina = new Admin(await world.page('desktop'));
  await nina.page.goto(link);
  await nina.page.getByLabel(t('app-password'), { exact: true }).fill(PASSWORD);
  const accepted = nina.page.waitForResponse((answer) => answer.url().endsWith('/invitations/accept') && answer.status() === 201);
  await nina.page.locator('form button[type=submit]').click();
  await accepted;
  await nina.page.goto(admin_url);
  await nina.page.getByRole('button', { name: t('admin-confidentiality-accept') }).click();
  await nina.page.getByText(t('admin-buildings-none')).waitFor();
  assert.equal(await nina.page.getByRole('link', { name: t('admin-operator') }).count(), 0);

  const row = operator.row('Sørby Forvaltning');
  await row.getByRole('button', { name: t('admin-tenant-suspend') }).click();
  await row.getByText(t('admin-tenant-is-suspended')).waitFor();
  await look(page, 'operator-suspended');
  const session = () => nina.page.context().request.get(`${origin}/api/v1/session`);
  assert.equal((await session()).status(), 401);
  await page.getByRole('button', { name: t('admin-ground-undo') }).click();
  await row.getByText(t('admin-tenant-runs')).waitFor();
  assert.equal((await session()).status(), 200);
}, { fresh: true });
