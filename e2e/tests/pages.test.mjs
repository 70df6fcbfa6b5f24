// Every page of the administration, whichever there are: light and dark and chosen colours, twice as large, on a phone.

import { SIZES } from '../support/browser.mjs';
import { look, nothingCut } from '../support/looks.mjs';
import { WIDE, ZOOMED, administrator, eachTab, gathered, go, nameOf, pagesOf } from '../support/pages.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

scenario('every page with data: pictures, axe, phone, zoom, chosen colours', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  const all = gathered();
  for (const address of await pagesOf(page)) {
    await page.setViewportSize(WIDE);
    await go(admin, address);
    await eachTab(page, (tab) => all.check(async () => {
      const name = `admin-page-${nameOf(address)}${tab}`;
      await page.setViewportSize(WIDE);
      await look(page, name, { forced: true, ...(name === 'admin-page-overview' && { readme: 'admin-overview' }) });
      await nothingCut(page, name);
      await page.setViewportSize(SIZES.phone);
      await look(page, `${name}-phone`);
      await nothingCut(page, `${name}, phone`);
      await page.setViewportSize(ZOOMED);
      await nothingCut(page, `${name}, 200 %`);
    }));
  }
  all.end();
});
