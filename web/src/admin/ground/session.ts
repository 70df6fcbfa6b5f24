// Who is signed in, for every page below the shell: `const session = getSession()`.

import { createContext } from 'svelte';
import type { Session } from '../../api/http';

export const [getSession, setSession] = createContext<Session>();
