import '../ui/base.css';
import './panel.css';
import { mount } from 'svelte';
import { startTexts } from '../lib/i18n';
import { Panel } from './panel.svelte';
import PanelPage from './PanelPage.svelte';

await startTexts();
const panel = new Panel();
mount(PanelPage, { target: document.body, props: { panel } });
if (location.hash === '#preview') panel.show();
else void panel.start();
