// Until the server's document has them.
export interface KeptRecords {
  purpose: string;
  days: number;
  told_on: string;
  begins_at: number;
  asked_by?: string;
  confirmed_by?: string;
  state: 'waits_for_second' | 'waits_for_day' | 'on';
}
export interface RecordsPolicy {
  kept?: KeptRecords;
  may_keep: boolean;
  needs_second: boolean;
  earliest: number;
  version: number;
}
export interface UseRecord {
  id: string;
  at: number;
  about: boolean;
  door: { id: string; name: string };
  who: { kind: 'person' | 'guest' | 'gone'; id?: string | null; name?: string | null };
  outcome: 'opened' | 'refused' | 'failed';
  reason?: string | null;
}
export interface UseRecords {
  items: UseRecord[];
  next?: string | null;
}
export interface RecordReading {
  id: string;
  at: number;
  building: string;
  by?: { id: string; name?: string | null };
  person?: { id: string; name?: string | null };
  door?: { id: string; name: string };
  from?: number | null;
  until?: number | null;
  file: boolean;
  purpose?: string | null;
}
export interface RecordReadings {
  items: RecordReading[];
  next?: string | null;
}
export interface MyRecord {
  id: string;
  at: number;
  about: boolean;
  door: { id: string; name: string };
  building: string;
  outcome: 'opened' | 'refused' | 'failed';
  reason?: string | null;
}
export interface KeptOfMe {
  building: string;
  purpose: string;
  days: number;
  since: number;
}
export interface MyRecords {
  items: MyRecord[];
  next?: string | null;
  kept: KeptOfMe[];
}
