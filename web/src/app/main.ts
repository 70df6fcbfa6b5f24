import '../ui/base.css';
import { mount } from 'svelte';
import { startTexts } from '../lib/i18n';
import App from './App.svelte';

await startTexts();
mount(App, { target: document.body });
