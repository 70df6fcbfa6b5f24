import '../ui/base.css';
import { mount } from 'svelte';
import { startTexts } from '../lib/i18n';
import Admin from './Admin.svelte';

await startTexts();
mount(Admin, { target: document.body });
