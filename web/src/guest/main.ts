import '../ui/base.css';
import { mount } from 'svelte';
import { startTexts } from '../lib/i18n';
import GuestPage from './GuestPage.svelte';

await startTexts();
mount(GuestPage, { target: document.body });
