// What an administrator does most, by keys alone.

import assert from 'node:assert/strict';
import { usableByAll } from '../support/looks.mjs';
import { administrator } from '../support/pages.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

/** Goes on with Tab until this has the focus, and it shows. */
async function tabTo(page, control, most = 60) {
  for (let presses = 0; presses < most; presses += 1) {
    if (await control.evaluateAll((found) => found.includes(document.activeElement))) {
      const ring = await page.evaluate(() => {
        const shows = (one) => {
          const { outlineStyle, outlineWidth } = getComputedStyle(one);
          return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
        };
        // the ring of a search field is around its frame
        return shows(document.activeElement) || shows(document.activeElement.parentElement);
      });
      assert.ok(ring, `${control} does not show that it has the focus`);
      return;
    }
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not reach ${control}`);
}

async function press(page, control) {
  await tabTo(page, control);
  await page.keyboard.press('Enter');
}

const focusKept = (page, what) => page.waitForFunction(() => document.activeElement !== document.body, undefined, { timeout: 3_000 }).catch(() => assert.fail(`${what}: the focus is lost`));

scenario('a person is added, changed while somebody else does, moved out and taken back, with keys alone', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  await press(page, page.locator('.shell > nav a', { hasText: t('admin-section-people') }));
  await admin.loaded();
  await press(page, page.getByRole('button', { name: t('admin-person-add') }));
  await page.keyboard.type('Tasta Tur');
  await tabTo(page, admin.dialog.getByLabel(t('admin-unit'), { exact: true }));
  await page.keyboard.type('1403');
  await tabTo(page, admin.dialog.getByLabel(t('admin-person-email')));
  await page.keyboard.type('tasta@example.org');
  await page.keyboard.press('Enter');
  await admin.dialog.waitFor({ state: 'detached' });
  await focusKept(page, 'after the new person');

  await page.keyboard.press('/');
  await page.keyboard.type('tasta tur');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.keyboard.press('Enter');
  const peek = page.locator('dialog.peek');
  const phone = peek.getByLabel(t('admin-person-phone'), { exact: true });
  await phone.waitFor();
  const { items: [person] } = await (await page.request.get(`${world.demo.origin}/api/v1/people?text=tasta`)).json();
  const other = await page.request.patch(`${world.demo.origin}/api/v1/people/${person.id}`, {
    headers: { origin: world.demo.origin },
    data: { phone: '+4791500222', version: person.version },
  });
  assert.equal(other.status(), 200, await other.text());
  await tabTo(page, phone);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('+47 915 00 333');
  await page.keyboard.press('Enter');
  const conflict = page.getByRole('dialog', { name: t('admin-ground-conflict') });
  await conflict.waitFor();
  await usableByAll(page, 'conflict', 'light');
  await tabTo(page, conflict.getByRole('radio', { name: new RegExp(t('admin-ground-conflict-mine')) }));
  await page.keyboard.press('Space');
  await press(page, conflict.getByRole('button', { name: t('admin-ground-conflict-save') }));
  await conflict.waitFor({ state: 'detached' });
  await page.getByText(t('admin-person-saved')).waitFor();
  await focusKept(page, 'after the conflict');
  await page.keyboard.press('Escape');
  await peek.waitFor({ state: 'detached' });
  await focusKept(page, 'after the person');

  await tabTo(page, page.getByRole('rowheader').first().getByRole('button'));
  await page.keyboard.press('m');
  await press(page, peek.getByRole('button', { name: t('admin-move-confirm') }));
  await page.getByText(pattern('admin-move-planned', { unit: '1403' })).waitFor();
  await focusKept(page, 'after the move');
  await page.keyboard.press('Control+z');
  await page.getByText(t('admin-ground-undone')).waitFor();
});

scenario('a list is chosen for import with keys alone', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  await press(page, page.locator('.shell > nav a', { hasText: t('admin-section-import') }));
  await admin.loaded();
  await tabTo(page, page.getByRole('button', { name: t('admin-import-choose') }));
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Space')]);
  await chooser.setFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from('Navn;Leilighet\r\nTast Import;1101\r\n') });
  await page.getByRole('heading', { name: t('admin-import-rows') }).waitFor();
  await focusKept(page, 'after the file');
});
