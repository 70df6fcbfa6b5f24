import '../ui/base.css';
import { mount } from 'svelte';
import { startTexts } from '../lib/i18n';
import Placeholder from './Placeholder.svelte';

await startTexts();
mount(Placeholder, { target: document.body });
