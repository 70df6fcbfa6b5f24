// One call from the tap on a name to its end, on every screen it touches.
// Runs alone: sound, and rings of three seconds.

import { look } from '../support/looks.mjs';
import { hears, hearsNothing, RESIDENT_HZ, VISITOR_HZ } from '../support/sound.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

scenario('it rings with the visitor’s picture, and nobody hears anybody before the answer', async (world) => {
  const bell = world.town.bell('parallel', 2);
  const { panel, apps } = await world.household(bell);
  await panel.ring(bell);
  for (const app of apps) {
    await app.rings();
    await app.seesPicture();
    await hearsNothing(app.page);
  }
  await hearsNothing(panel.page);
  await panel.showsNobody();
});

scenario('one tap opens the door without an answer, and the others are told', async (world) => {
  const bell = world.town.bell('parallel', 2);
  const { panel, apps: [opener, other] } = await world.household(bell);
  await panel.ring(bell);
  await Promise.all([opener.rings(), other.rings()]);
  await opener.openDoor();
  await panel.showsOpen();
  await other.says('app-elsewhere-opened');
});

scenario('one tap answers: both hear each other, the visitor sees nobody, the second device is told', async (world) => {
  const bell = world.town.bell('parallel', 2);
  const { panel, apps: [talker, other] } = await world.household(bell);
  await panel.ring(bell);
  await Promise.all([talker.rings(), other.rings()]);
  await talker.answer();
  await talker.talks();
  await panel.talks();
  await other.says('app-elsewhere-answered');
  await other.isHome();
  await hears(talker.page, VISITOR_HZ);
  await hears(panel.page, RESIDENT_HZ);
  await talker.seesPicture();
  await panel.showsNobody();
  await hearsNothing(other.page);

  await talker.openDoor();
  await panel.showsOpen();
  await talker.hangUp();
  await talker.says('app-ended-resident-hung-up');
  await talker.isHome();
  await panel.backToNames();
});

scenario('a second device of the same resident is told as well', async (world) => {
  const bell = world.town.bell('individual');
  const panel = await world.panel(bell);
  const [phone, tablet] = [await world.app(bell.residents[0]), await world.app(bell.residents[0], 'tablet')];
  await panel.ring(bell);
  await Promise.all([phone.rings(), tablet.rings()]);
  await tablet.answer();
  await tablet.talks();
  await phone.says('app-elsewhere-answered');
});

scenario('the visitor hangs up while it rings, and in the middle of a talk', async (world) => {
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  await panel.ring(bell);
  await app.rings();
  await panel.cancel();
  await app.says('app-ended-visitor-left');
  await app.isHome();
  await panel.backToNames();

  await panel.ring(bell);
  await app.rings();
  await app.answer();
  await panel.talks();
  await panel.hangUp();
  await app.says('app-ended-visitor-left');
});

scenario('everybody declines: the visitor is told', async (world) => {
  const bell = world.town.bell('parallel', 2);
  const { panel, apps } = await world.household(bell);
  await panel.ring(bell);
  await Promise.all(apps.map((app) => app.rings()));
  await apps[0].decline();
  await apps[0].isHome();
  await panel.isCalling();
  for (const app of apps.slice(1)) await app.decline();
  await panel.says('panel-over-declined');
});

scenario(
  'nobody answers: the visitor is told and can try again',
  async (world) => {
    const bell = world.town.bell('individual');
    const { panel, apps: [app] } = await world.household(bell);
    await panel.ring(bell);
    await app.rings();
    await panel.says('panel-over-no_answer');
    await app.says('app-ended-no-answer');
    await look(panel.page, 'panel-no-answer');
    await app.isHome();
    await panel.tryAgain();
    await app.rings();
  },
  { demo: ['--ring-seconds', '3'] },
);

scenario('nobody’s device can be reached: the visitor is told at once', async (world) => {
  const bell = world.town.bell('individual');
  const panel = await world.panel(bell);
  await panel.tap(bell);
  await panel.says('panel-over-unreachable');
  await look(panel.page, 'panel-unreachable');
});
