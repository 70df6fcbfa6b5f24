// What goes on when something ends in the middle of a call.
// Runs alone: sound.

import { hears, RESIDENT_HZ, VISITOR_HZ } from '../support/sound.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

async function talking(world) {
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  await panel.ring(bell);
  await app.rings();
  await app.answer();
  await app.talks();
  await panel.talks();
  return { bell, panel, app };
}

async function hearEachOther({ panel, app }) {
  await hears(app.page, VISITOR_HZ);
  await hears(panel.page, RESIDENT_HZ);
}

scenario('the panel starts again in the middle of a call: the call goes on', async (world) => {
  const call = await talking(world);
  await hearEachOther(call);
  await call.panel.reload();
  await call.panel.talks();
  await call.app.talks();
  await hearEachOther(call);
  await call.app.seesPicture();
});

scenario('the panel starts again while it rings: it rings on', async (world) => {
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  await panel.ring(bell);
  await app.rings();
  await panel.reload();
  await panel.isCalling();
  await app.seesPicture();
  await app.answer();
  await panel.talks();
});

scenario('the app is loaded again in the middle of a call: the call goes on', async (world) => {
  const call = await talking(world);
  await hearEachOther(call);
  await call.app.reload();
  await call.app.talks();
  await hearEachOther(call);
  await call.app.seesPicture();
});

scenario('the app is loaded again while it rings: it rings on', async (world) => {
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  await panel.ring(bell);
  await app.rings();
  await app.reload();
  await app.rings();
  await app.seesPicture();
  await app.answer();
  await panel.talks();
});

scenario('the server is killed in the middle of a call: it is over in words, and the next one works', async (world) => {
  const { bell, panel, app } = await talking(world);
  await world.demo.kill();
  await world.demo.restart();
  await app.says('app-ended-unknown');
  await panel.says('panel-over-interrupted');
  await app.ready();
  await app.isHome();
  await panel.backToNames();

  await panel.ring(bell);
  await app.rings();
  await app.answer();
  await panel.talks();
  await hearEachOther({ panel, app });
  await app.openDoor();
  await panel.showsOpen();
}, { fresh: true });

scenario('the server is killed while it rings: no ghost of the call comes back', async (world) => {
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  await panel.ring(bell);
  await app.rings();
  await world.demo.kill();
  await world.demo.restart();
  await panel.says('panel-over-interrupted');
  await panel.backToNames();
  await app.ready();
  await app.isHome();
  const later = await world.app(bell.residents[0]);
  await later.isQuiet();
}, { fresh: true });
