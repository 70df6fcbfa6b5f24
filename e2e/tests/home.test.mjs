// What residents decide for their own home, through the app: their button on the panel, and who lives with them.
// Runs alone: calls, and doors that open.

import assert from 'node:assert/strict';
import { App } from '../support/app.mjs';
import { fits, look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

/** The administrator says what residents may decide. */
async function policy(world, change) {
  const page = await world.page('desktop');
  const { origin, told } = world.demo;
  const { request } = page.context();
  const { user_name, password } = told.administrator;
  await request.post(`${origin}/api/v1/session`, { headers: { origin }, data: { user_name, password, device_name: 'tests' } });
  const buildings = await (await request.get(`${origin}/api/v1/buildings`)).json();
  for (const { id } of buildings) {
    const path = `${origin}/api/v1/buildings/${id}/policy`;
    const found = await (await request.get(path)).json();
    const answer = await request.put(path, { headers: { origin }, data: { ...found, policy: { ...found.policy, ...change } } });
    assert.equal(answer.status(), 200, await answer.text());
  }
  await page.close();
}

/** Looks at the whole of a page, also what lies below the screen. */
async function lookAtAll(app, name) {
  const screen = app.page.viewportSize();
  const height = await app.page.evaluate(() => document.documentElement.scrollHeight);
  await app.page.setViewportSize({ ...screen, height: Math.max(screen.height, height) });
  await look(app.page, name);
  await app.page.setViewportSize(screen);
}

async function open(app, tab) {
  await app.page.getByRole('link', { name: t(tab), exact: true }).click();
  await app.page.getByRole('heading', { level: 1, name: t(tab) }).waitFor();
  await app.page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
}

/** The card of the button on this panel. */
const card = (app, bell) => app.page.getByRole('article').filter({ has: app.page.getByRole('heading', { name: bell.panel.name.split(': ').pop() }) }).first();

/** The names that the panel has got, also those that do not stand on its screen. */
const onPanel = (panel, label) => panel.page.getByRole('button').filter({ hasText: label });

scenario('the text of the button is on the panel as it is saved; a policy that keeps it locks the app and the API', async (world) => {
  await policy(world, { edit_text: true, hide: true });
  const bell = world.town.bell('individual');
  const panel = await world.panel(bell);
  const app = await world.app(bell.residents[0]);
  await open(app, 'app-tab-doorbell');
  const mine = card(app, bell);
  await mine.getByLabel(t('app-bell-label')).fill('Bakery');
  await mine.getByText('Bakery', { exact: true }).waitFor();
  await mine.getByRole('button', { name: t('app-bell-save') }).click();
  await mine.getByText(t('app-bell-saved')).waitFor();
  await panel.choose({ label: 'Bakery', unit: bell.unit });
  await app.rings();
  await panel.cancel();
  await app.isHome();

  await policy(world, { edit_text: false, hide: false });
  await app.page.reload();
  await app.page.getByRole('heading', { level: 1, name: t('app-tab-doorbell') }).waitFor();
  await mine.getByText(t('app-bell-locked')).first().waitFor();
  assert.equal(await mine.getByLabel(t('app-bell-label')).count(), 0);
  assert.equal(await mine.getByRole('button', { name: t('app-bell-hide') }).count(), 0);
  await lookAtAll(app, 'app-doorbell-locked');
  const { origin } = world.demo;
  const bells = await (await app.page.request.get(`${origin}/api/v1/me/bells`)).json();
  const found = bells.find(({ label }) => label === 'Bakery');
  const refused = await app.page.request.patch(`${origin}/api/v1/me/bells/${found.id}`, {
    headers: { origin },
    data: { version: found.version, label: 'Castle' },
  });
  assert.deepEqual([refused.status(), (await refused.json()).code], [403, 'decided_by_administrator']);
  await policy(world, { edit_text: true, hide: true });
  const back = await app.page.request.patch(`${origin}/api/v1/me/bells/${found.id}`, {
    headers: { origin },
    data: { version: found.version, label: bell.label },
  });
  assert.equal(back.status(), 200);
});

scenario('one tap hides the button from the panel, one shows it again; hours do it by themselves', async (world) => {
  await policy(world, { hide: true });
  const bell = world.town.bell('parallel', 2);
  const panel = await world.panel(bell);
  const app = await world.app(bell.residents[0]);
  await open(app, 'app-tab-doorbell');
  await lookAtAll(app, 'app-doorbell');
  await fits(app.page, 'app-doorbell');
  const mine = card(app, bell);
  const name = onPanel(panel, bell.label);
  await name.first().waitFor();
  await mine.getByRole('button', { name: t('app-bell-hide') }).click();
  await name.first().waitFor({ state: 'detached' });
  await mine.getByText(t('app-bell-hidden')).waitFor();
  await mine.getByRole('button', { name: t('app-bell-show') }).click();
  await name.first().waitFor();

  // hidden all day, every day, with the keyboard alone
  await mine.getByRole('button', { name: t('app-hours-add') }).press('Enter');
  await mine.getByLabel(t('app-hours-from'), { exact: true }).fill('00:00');
  await mine.getByLabel(t('app-hours-until'), { exact: true }).fill('00:00');
  await mine.getByRole('button', { name: t('app-hours-save') }).press('Enter');
  await mine.getByText(t('app-bell-hidden-hours')).waitFor();
  await name.first().waitFor({ state: 'detached' });
  await lookAtAll(app, 'app-doorbell-hours');
  await fits(app.page, 'app-doorbell-hours');
  await mine.getByRole('button', { name: t('app-hours-remove', { number: 1 }) }).click();
  await mine.getByRole('button', { name: t('app-hours-save') }).click();
  await name.first().waitFor();
});

scenario('the owner chooses the type among what the policy allows', async (world) => {
  await policy(world, { bell_kinds: ['individual', 'family', 'parallel'] });
  const bell = world.town.bell('parallel', 2);
  const panel = await world.panel(bell);
  const [owner, member] = bell.residents;
  const other = await world.app(member);
  await open(other, 'app-tab-doorbell');
  await card(other, bell).getByText(t('app-bell-locked-owner')).waitFor();
  const app = await world.app(owner);
  await open(app, 'app-tab-doorbell');
  await card(app, bell).getByLabel(t('app-bell-kind'), { exact: true }).selectOption('family');
  await card(app, bell).getByText(t('app-bell-saved')).waitFor();
  await panel.tap({ ...bell, kind: 'family' }, bell.members[1]);
  await other.rings();
  await app.isQuiet();
  await panel.cancel();
  await card(app, bell).getByLabel(t('app-bell-kind'), { exact: true }).selectOption('parallel');
  await card(app, bell).getByText(t('app-bell-saved')).waitFor();
});

scenario('an owner invites a member, who opens the doors and is rung; removed, they are out at once', async (world) => {
  await policy(world, { add_members: false });
  const bell = world.town.bell('family', 2);
  const panel = await world.panel(bell);
  const app = await world.app(bell.residents[0]);
  await open(app, 'app-tab-household');
  await app.page.getByText(t('app-member-locked')).waitFor();
  await lookAtAll(app, 'app-household-locked');
  await policy(world, { add_members: true, bell_kinds: ['individual', 'family'] });
  await app.page.reload();
  await app.page.getByRole('button', { name: t('app-member-add') }).click();
  const dialog = app.page.getByRole('dialog');
  await dialog.getByLabel(t('app-member-name'), { exact: true }).fill('Liv Ny');
  await look(app.page, 'app-household-invite');
  await dialog.getByRole('button', { name: t('app-member-invite'), exact: true }).click();
  const link = await dialog.getByText(/#invite=/).textContent();
  await look(app.page, 'app-household-link');
  await dialog.getByRole('button', { name: t('app-member-done') }).click();

  const page = await world.page('phone');
  await page.goto(link.trim());
  await page.getByLabel(t('app-password'), { exact: true }).fill('a long enough password');
  await page.getByRole('button', { name: t('app-invited-do') }).click();
  const liv = new App(page, { name: 'Liv Ny' });
  await liv.ready();
  const openDoor = page.getByRole('button', { name: pattern('app-open-named') }).first();
  await openDoor.waitFor();

  await app.page.reload();
  await app.page.getByRole('button', { name: t('app-member-button', { name: 'Liv Ny' }) }).click();
  await app.page.getByText(t('app-member-button-done', { name: 'Liv Ny' })).waitFor();
  await lookAtAll(app, 'app-household');
  await fits(app.page, 'app-household');
  await panel.choose({ label: 'Liv Ny', unit: bell.unit });
  await liv.rings();
  await panel.cancel();
  await liv.isHome();

  await app.page.getByRole('button', { name: t('app-member-remove', { name: 'Liv Ny' }) }).click();
  await app.page.getByRole('dialog').getByRole('button', { name: t('app-member-remove-do'), exact: true }).click();
  await app.page.getByText(t('app-member-removed', { name: 'Liv Ny' })).waitFor();
  await page.getByText(t('app-signed-out-elsewhere')).waitFor();
  await onPanel(panel, 'Liv Ny').first().waitFor({ state: 'detached' });
});

scenario('one changes how one is reached, with the password; one tap signs out everywhere else', async (world) => {
  const [resident] = world.town.bell('individual').residents;
  const lost = await world.app(resident);
  const app = await world.app(resident);
  await app.page.getByRole('link', { name: t('app-tab-me'), exact: true }).click();
  await app.page.getByText(t('app-me-name-locked')).waitFor();
  await lookAtAll(app, 'app-me-contact');
  await app.page.getByLabel(t('app-me-phone'), { exact: true }).fill('+47 900 00 000');
  await app.page.getByLabel(t('app-me-password'), { exact: true }).fill('not the password');
  await app.page.getByRole('button', { name: t('app-me-save'), exact: true }).click();
  await app.page.getByText(t('error-wrong-password')).waitFor();
  await lookAtAll(app, 'app-me-wrong-password');
  await app.page.getByLabel(t('app-me-password'), { exact: true }).fill(resident.password);
  await app.page.getByRole('button', { name: t('app-me-save'), exact: true }).click();
  await app.page.getByText(t('app-me-saved'), { exact: true }).waitFor();
  assert.equal(await app.page.getByLabel(t('app-me-phone'), { exact: true }).inputValue(), '+4790000000');

  await app.page.getByRole('button', { name: t('app-sign-out-others') }).click();
  await lost.page.getByText(t('app-signed-out-elsewhere')).waitFor();
  await app.page.getByRole('button', { name: t('app-sign-out-others') }).waitFor({ state: 'detached' });
  const file = app.page.waitForEvent('download');
  await app.page.getByRole('link', { name: t('app-kept-file') }).click();
  assert.equal((await file).suggestedFilename(), 'klinke.json');
});

scenario('the pages fit a tablet and large text', async (world) => {
  await policy(world, { add_members: true });
  const bell = world.town.bell('family', 2);
  const app = await world.app(bell.residents[0], 'tablet');
  for (const tab of ['app-tab-doorbell', 'app-tab-household', 'app-tab-me']) {
    await app.page.getByRole('link', { name: t(tab), exact: true }).click();
    await app.page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
    await lookAtAll(app, `${tab}-tablet`);
    // the narrowest that WCAG asks for: 1280 px at 400 %
    await app.page.setViewportSize({ width: 320, height: 640 });
    // the browser asks its media queries with the next frame
    await app.page.waitForFunction(() => getComputedStyle(document.querySelector('header')).position === 'sticky');
    await fits(app.page, `${tab} at 320 px`);
    await app.page.setViewportSize({ width: 1024, height: 768 });
  }
});
