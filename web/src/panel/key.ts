/**
 * Who this panel is: an ECDSA P-256 key made in this browser and kept in its IndexedDB. The private half can
 * sign but never be read, by this page or any other; the server knows the public half.
 */
import type { PanelId } from '../api/wire';

export interface Identity {
  keys: CryptoKeyPair;
  /** Set once an administrator has claimed the panel. */
  panel?: PanelId;
}

const DATABASE = 'klinke-panel';
const STORE = 'identity';
const ONLY = 'this';
const SIGNING: EcKeyGenParams & EcdsaParams = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** The identity of this browser, with a new key when it has none. */
export async function loadIdentity(): Promise<Identity> {
  const stored = await transact<Identity | undefined>('readonly', (store) => store.get(ONLY));
  if (stored) return stored;
  const made: Identity = { keys: await crypto.subtle.generateKey(SIGNING, false, ['sign', 'verify']) };
  await saveIdentity(made);
  return made;
}

export async function saveIdentity(identity: Identity): Promise<void> {
  await transact('readwrite', (store) => store.put(identity, ONLY));
}

/** The public half: SPKI in base64. */
export async function publicKey({ keys }: Identity): Promise<string> {
  return base64(await crypto.subtle.exportKey('spki', keys.publicKey));
}

/** A signature, raw `r‖s` in base64. */
export async function sign({ keys }: Identity, text: string): Promise<string> {
  return base64(await crypto.subtle.sign(SIGNING, keys.privateKey, new TextEncoder().encode(text)));
}

function base64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

function transact<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error ?? new Error('the database of this browser did not open'));
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STORE, mode);
      const request = use(transaction.objectStore(STORE));
      transaction.oncomplete = () => {
        database.close();
        resolve(request.result as T);
      };
      transaction.onabort = () => {
        database.close();
        reject(transaction.error ?? new Error('the database of this browser did not answer'));
      };
    };
  });
}
