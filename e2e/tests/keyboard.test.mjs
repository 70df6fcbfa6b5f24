// Everything without a finger or a mouse: only keys are pressed here.

import assert from 'node:assert/strict';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

/** Goes on with Tab until this has the focus. */
async function tabTo(page, control) {
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press('Tab');
    // the control may change under the focus, such as when a call begins
    if (await control.evaluateAll((found) => found.includes(document.activeElement))) return;
  }
  assert.fail(`Tab does not reach ${control}`);
}

async function press(page, control) {
  await tabTo(page, control);
  const ring = await page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  });
  assert.ok(ring, `${control} does not show that it has the focus`);
  await page.keyboard.press('Enter');
}

scenario('a visitor rings and a resident answers, opens and hangs up with keys alone', async (world) => {
  const bell = world.town.bell('individual');
  const [resident] = bell.residents;
  const app = await world.signedOut(resident);
  const { page } = app;
  await page.goto(world.demo.told.app_url);
  await page.getByLabel(t('app-user-name')).waitFor();
  await tabTo(page, page.getByLabel(t('app-user-name')));
  await page.keyboard.type(resident.user_name);
  await tabTo(page, page.getByLabel(t('app-password'), { exact: true }));
  await page.keyboard.type(resident.password);
  await page.keyboard.press('Enter');
  await app.ready();

  const panel = await world.panel(bell);
  const visitor = panel.page;
  await press(visitor, visitor.getByRole('button').filter({ hasText: bell.unit }));
  await panel.isCalling();

  await app.rings();
  // a screen reader is where the ring is, and Tab stays in it
  assert.ok(await page.evaluate(() => document.activeElement?.closest('[role=dialog]') !== null), 'the focus is not in the call');
  await press(page, page.getByRole('button', { name: t('app-answer') }));
  await app.talks();
  await press(page, page.getByRole('button', { name: t('app-open-door') }));
  await panel.showsOpen();
  await press(page, page.getByRole('button', { name: t('app-hang-up') }));
  await app.says('app-ended-resident-hung-up');
  await press(page, page.getByRole('button', { name: t('common-close') }));
  await app.isHome();

  // the door list as well: another door than that of the call
  const other = page.getByRole('article').last();
  await press(page, other.getByRole('button', { name: pattern('app-open-named') }));
  await other.getByText(pattern('door-open-for')).first().waitFor();
});

scenario('a visitor cancels with keys alone', async (world) => {
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  const { page } = panel;
  await press(page, page.getByRole('button').filter({ hasText: bell.unit }));
  await app.rings();
  await press(page, page.getByRole('button', { name: t('panel-cancel') }));
  await app.says('app-ended-visitor-left');
});
