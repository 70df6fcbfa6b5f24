access_record.tenant uuid NOT NULL
access_record.id uuid NOT NULL
access_record.building uuid NOT NULL
access_record.policy_began bigint NOT NULL
access_record.door uuid NOT NULL
access_record.person uuid
access_record.guest uuid
access_record.at bigint NOT NULL
access_record.about boolean NOT NULL
access_record.outcome text NOT NULL
access_record.reason text
access_record.forget_at bigint NOT NULL
access_record: access_record_check CHECK (((person IS NULL) <> (guest IS NULL)))
access_record: access_record_check1 CHECK (((outcome = 'refused'::text) = (reason IS NOT NULL)))
access_record: access_record_check2 CHECK ((at >= policy_began))
access_record: access_record_outcome_check CHECK ((outcome = ANY (ARRAY['opened'::text, 'refused'::text, 'failed'::text])))
access_record: access_record_pkey PRIMARY KEY (tenant, id)
access_record: access_record_tenant_building_door_fkey FOREIGN KEY (tenant, building, door) REFERENCES door(tenant, building, id) ON DELETE CASCADE
access_record: access_record_tenant_building_policy_began_fkey FOREIGN KEY (tenant, building, policy_began) REFERENCES record_policy(tenant, building, begins_at) ON DELETE CASCADE
access_record: access_record_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE INDEX access_record_building ON public.access_record USING btree (tenant, building, at, id)
CREATE INDEX access_record_door ON public.access_record USING btree (tenant, door)
CREATE INDEX access_record_forget ON public.access_record USING btree (forget_at)
CREATE INDEX access_record_person ON public.access_record USING btree (tenant, person, at)
CREATE UNIQUE INDEX access_record_pkey ON public.access_record USING btree (tenant, id)
access_rule.tenant uuid NOT NULL
access_rule.id uuid NOT NULL
access_rule.building uuid NOT NULL
access_rule.name text NOT NULL
access_rule.everybody boolean NOT NULL
access_rule.unit_owners boolean NOT NULL
access_rule.all_doors boolean NOT NULL
access_rule.schedule uuid
access_rule.first_day bigint
access_rule.last_day bigint
access_rule.active boolean NOT NULL
access_rule.version bigint NOT NULL
access_rule: access_rule_pkey PRIMARY KEY (tenant, id)
access_rule: access_rule_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
access_rule: access_rule_tenant_building_id_key UNIQUE (tenant, building, id)
access_rule: access_rule_tenant_building_schedule_fkey FOREIGN KEY (tenant, building, schedule) REFERENCES schedule(tenant, building, id)
CREATE INDEX access_rule_schedule ON public.access_rule USING btree (tenant, building, schedule)
CREATE UNIQUE INDEX access_rule_pkey ON public.access_rule USING btree (tenant, id)
CREATE UNIQUE INDEX access_rule_tenant_building_id_key ON public.access_rule USING btree (tenant, building, id)
access_rule_door.tenant uuid NOT NULL
access_rule_door.rule uuid NOT NULL
access_rule_door.door uuid NOT NULL
access_rule_door.building uuid NOT NULL
access_rule_door: access_rule_door_pkey PRIMARY KEY (tenant, rule, door)
access_rule_door: access_rule_door_tenant_building_door_fkey FOREIGN KEY (tenant, building, door) REFERENCES door(tenant, building, id) ON DELETE CASCADE
access_rule_door: access_rule_door_tenant_building_rule_fkey FOREIGN KEY (tenant, building, rule) REFERENCES access_rule(tenant, building, id) ON DELETE CASCADE
CREATE INDEX access_rule_of_door ON public.access_rule_door USING btree (tenant, door, rule)
CREATE UNIQUE INDEX access_rule_door_pkey ON public.access_rule_door USING btree (tenant, rule, door)
access_rule_door_group.tenant uuid NOT NULL
access_rule_door_group.rule uuid NOT NULL
access_rule_door_group.door_group uuid NOT NULL
access_rule_door_group.building uuid NOT NULL
access_rule_door_group: access_rule_door_group_pkey PRIMARY KEY (tenant, rule, door_group)
access_rule_door_group: access_rule_door_group_tenant_building_door_group_fkey FOREIGN KEY (tenant, building, door_group) REFERENCES door_group(tenant, building, id)
access_rule_door_group: access_rule_door_group_tenant_building_rule_fkey FOREIGN KEY (tenant, building, rule) REFERENCES access_rule(tenant, building, id) ON DELETE CASCADE
CREATE INDEX access_rule_of_door_group ON public.access_rule_door_group USING btree (tenant, door_group, rule)
CREATE UNIQUE INDEX access_rule_door_group_pkey ON public.access_rule_door_group USING btree (tenant, rule, door_group)
access_rule_people_group.tenant uuid NOT NULL
access_rule_people_group.rule uuid NOT NULL
access_rule_people_group.people_group uuid NOT NULL
access_rule_people_group.building uuid NOT NULL
access_rule_people_group: access_rule_people_group_pkey PRIMARY KEY (tenant, rule, people_group)
access_rule_people_group: access_rule_people_group_tenant_building_people_group_fkey FOREIGN KEY (tenant, building, people_group) REFERENCES people_group(tenant, building, id)
access_rule_people_group: access_rule_people_group_tenant_building_rule_fkey FOREIGN KEY (tenant, building, rule) REFERENCES access_rule(tenant, building, id) ON DELETE CASCADE
CREATE INDEX access_rule_of_people_group ON public.access_rule_people_group USING btree (tenant, people_group, rule)
CREATE UNIQUE INDEX access_rule_people_group_pkey ON public.access_rule_people_group USING btree (tenant, rule, people_group)
access_rule_person.tenant uuid NOT NULL
access_rule_person.rule uuid NOT NULL
access_rule_person.person uuid NOT NULL
access_rule_person: access_rule_person_pkey PRIMARY KEY (tenant, rule, person)
access_rule_person: access_rule_person_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
access_rule_person: access_rule_person_tenant_rule_fkey FOREIGN KEY (tenant, rule) REFERENCES access_rule(tenant, id) ON DELETE CASCADE
CREATE INDEX access_rule_of_person ON public.access_rule_person USING btree (tenant, person, rule)
CREATE UNIQUE INDEX access_rule_person_pkey ON public.access_rule_person USING btree (tenant, rule, person)
access_rule_unit.tenant uuid NOT NULL
access_rule_unit.rule uuid NOT NULL
access_rule_unit.unit uuid NOT NULL
access_rule_unit.building uuid NOT NULL
access_rule_unit: access_rule_unit_pkey PRIMARY KEY (tenant, rule, unit)
access_rule_unit: access_rule_unit_tenant_building_rule_fkey FOREIGN KEY (tenant, building, rule) REFERENCES access_rule(tenant, building, id) ON DELETE CASCADE
access_rule_unit: access_rule_unit_tenant_building_unit_fkey FOREIGN KEY (tenant, building, unit) REFERENCES unit(tenant, building, id) ON DELETE CASCADE
CREATE INDEX access_rule_of_unit ON public.access_rule_unit USING btree (tenant, unit, rule)
CREATE UNIQUE INDEX access_rule_unit_pkey ON public.access_rule_unit USING btree (tenant, rule, unit)
account.tenant uuid NOT NULL
account.person uuid NOT NULL
account.user_name text NOT NULL
account.password_hash text NOT NULL
account: account_pkey PRIMARY KEY (tenant, person)
account: account_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
account: account_user_name_key UNIQUE (user_name)
CREATE UNIQUE INDEX account_pkey ON public.account USING btree (tenant, person)
CREATE UNIQUE INDEX account_user_name_key ON public.account USING btree (user_name)
alarm.tenant uuid NOT NULL
alarm.id uuid NOT NULL
alarm.building uuid NOT NULL
alarm.controller uuid NOT NULL
alarm.journal uuid NOT NULL
alarm.seq bigint NOT NULL
alarm.kind text NOT NULL
alarm.door uuid
alarm.part integer
alarm.began_at bigint NOT NULL
alarm.began_about boolean NOT NULL
alarm.ended_at bigint
alarm.ended_about boolean NOT NULL
alarm.over_at bigint
alarm.seen_at bigint
alarm.mail boolean NOT NULL
alarm: alarm_pkey PRIMARY KEY (tenant, id)
alarm: alarm_tenant_building_controller_fkey FOREIGN KEY (tenant, building, controller) REFERENCES controller(tenant, building, id) ON DELETE CASCADE
alarm: alarm_tenant_building_door_fkey FOREIGN KEY (tenant, building, door) REFERENCES door(tenant, building, id) ON DELETE CASCADE
alarm: alarm_tenant_controller_journal_seq_key UNIQUE (tenant, controller, journal, seq)
CREATE INDEX alarm_building ON public.alarm USING btree (tenant, building, began_at)
CREATE INDEX alarm_door ON public.alarm USING btree (tenant, door)
CREATE INDEX alarm_over ON public.alarm USING btree (over_at)
CREATE UNIQUE INDEX alarm_pkey ON public.alarm USING btree (tenant, id)
CREATE UNIQUE INDEX alarm_tenant_controller_journal_seq_key ON public.alarm USING btree (tenant, controller, journal, seq)
alarm_mail.tenant uuid NOT NULL
alarm_mail.building uuid NOT NULL
alarm_mail.wanted boolean NOT NULL
alarm_mail.run_at bigint
alarm_mail.attempts integer NOT NULL
alarm_mail: alarm_mail_pkey PRIMARY KEY (tenant, building)
alarm_mail: alarm_mail_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
CREATE INDEX alarm_mail_due ON public.alarm_mail USING btree (run_at)
CREATE UNIQUE INDEX alarm_mail_pkey ON public.alarm_mail USING btree (tenant, building)
alarm_seen.tenant uuid NOT NULL
alarm_seen.alarm uuid NOT NULL
alarm_seen.person uuid NOT NULL
alarm_seen: alarm_seen_pkey PRIMARY KEY (tenant, alarm)
alarm_seen: alarm_seen_tenant_alarm_fkey FOREIGN KEY (tenant, alarm) REFERENCES alarm(tenant, id) ON DELETE CASCADE
alarm_seen: alarm_seen_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE INDEX alarm_seen_person ON public.alarm_seen USING btree (tenant, person)
CREATE UNIQUE INDEX alarm_seen_pkey ON public.alarm_seen USING btree (tenant, alarm)
api_token.tenant uuid NOT NULL
api_token.id uuid NOT NULL
api_token.name text NOT NULL
api_token.token_hash bytea NOT NULL
api_token.building uuid
api_token.issuer uuid NOT NULL
api_token.ends_at bigint NOT NULL
api_token: api_token_pkey PRIMARY KEY (tenant, id)
api_token: api_token_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
api_token: api_token_tenant_issuer_fkey FOREIGN KEY (tenant, issuer) REFERENCES person(tenant, id) ON DELETE CASCADE
api_token: api_token_token_hash_key UNIQUE (token_hash)
CREATE INDEX api_token_building ON public.api_token USING btree (tenant, building)
CREATE INDEX api_token_issuer ON public.api_token USING btree (tenant, issuer)
CREATE UNIQUE INDEX api_token_pkey ON public.api_token USING btree (tenant, id)
CREATE UNIQUE INDEX api_token_token_hash_key ON public.api_token USING btree (token_hash)
api_token_right.tenant uuid NOT NULL
api_token_right.token uuid NOT NULL
api_token_right.allows text NOT NULL
api_token_right: api_token_right_allows_check CHECK ((allows = ANY (ARRAY['see_building'::text, 'see_people'::text, 'change_people'::text, 'change_building'::text, 'devices'::text, 'audit'::text])))
api_token_right: api_token_right_pkey PRIMARY KEY (tenant, token, allows)
api_token_right: api_token_right_tenant_token_fkey FOREIGN KEY (tenant, token) REFERENCES api_token(tenant, id) ON DELETE CASCADE
CREATE UNIQUE INDEX api_token_right_pkey ON public.api_token_right USING btree (tenant, token, allows)
audit.tenant uuid NOT NULL
audit.seq bigint NOT NULL
audit.at bigint NOT NULL
audit.building uuid
audit.action text NOT NULL
audit.salt bytea
audit.content text
audit.content_hash bytea NOT NULL
audit.hash bytea NOT NULL
audit: audit_pkey PRIMARY KEY (tenant, seq)
audit: audit_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(tenant)
CREATE INDEX audit_building ON public.audit USING btree (tenant, building, seq)
CREATE UNIQUE INDEX audit_pkey ON public.audit USING btree (tenant, seq)
audit_person.tenant uuid NOT NULL
audit_person.seq bigint NOT NULL
audit_person.person uuid NOT NULL
audit_person: audit_person_pkey PRIMARY KEY (tenant, person, seq)
audit_person: audit_person_tenant_seq_fkey FOREIGN KEY (tenant, seq) REFERENCES audit(tenant, seq) ON DELETE CASCADE
CREATE UNIQUE INDEX audit_person_pkey ON public.audit_person USING btree (tenant, person, seq)
bell.tenant uuid NOT NULL
bell.id uuid NOT NULL
bell.building uuid NOT NULL
bell.panel uuid NOT NULL
bell.unit uuid NOT NULL
bell.label text NOT NULL
bell.kind text NOT NULL
bell.position integer NOT NULL
bell.alias text
bell.listing text NOT NULL
bell.hidden boolean NOT NULL
bell.dial_code text
bell.version bigint NOT NULL
bell.moderation text NOT NULL
bell.text_before text
bell.text_asked text
bell.removed_reason text
bell.sort_label bytea NOT NULL
bell.picture_reason text
bell: bell_kind_check CHECK ((kind = ANY (ARRAY['individual'::text, 'sequential'::text, 'parallel'::text, 'family'::text])))
bell: bell_listing_check CHECK ((listing = ANY (ARRAY['listed'::text, 'search_only'::text, 'dial_only'::text])))
bell: bell_moderation_check CHECK ((moderation = ANY (ARRAY['none'::text, 'pending'::text, 'removed'::text])))
bell: bell_pkey PRIMARY KEY (tenant, id)
bell: bell_tenant_building_panel_fkey FOREIGN KEY (tenant, building, panel) REFERENCES panel(tenant, building, id) ON DELETE CASCADE
bell: bell_tenant_building_unit_fkey FOREIGN KEY (tenant, building, unit) REFERENCES unit(tenant, building, id) ON DELETE CASCADE
bell: bell_tenant_unit_id_key UNIQUE (tenant, unit, id)
CREATE INDEX bell_label ON public.bell USING btree (tenant, building, sort_label, id)
CREATE INDEX bell_panel ON public.bell USING btree (tenant, panel)
CREATE INDEX bell_place ON public.bell USING btree (tenant, building, panel, "position", id)
CREATE UNIQUE INDEX bell_dial_code ON public.bell USING btree (tenant, panel, dial_code)
CREATE UNIQUE INDEX bell_pkey ON public.bell USING btree (tenant, id)
CREATE UNIQUE INDEX bell_tenant_unit_id_key ON public.bell USING btree (tenant, unit, id)
bell_hours.tenant uuid NOT NULL
bell_hours.bell uuid NOT NULL
bell_hours.hours text NOT NULL
bell_hours.hides boolean NOT NULL
bell_hours: bell_hours_pkey PRIMARY KEY (tenant, bell)
bell_hours: bell_hours_tenant_bell_fkey FOREIGN KEY (tenant, bell) REFERENCES bell(tenant, id) ON DELETE CASCADE
CREATE UNIQUE INDEX bell_hours_pkey ON public.bell_hours USING btree (tenant, bell)
bell_member.tenant uuid NOT NULL
bell_member.bell uuid NOT NULL
bell_member.person uuid NOT NULL
bell_member.unit uuid NOT NULL
bell_member.label text NOT NULL
bell_member.position integer NOT NULL
bell_member: bell_member_pkey PRIMARY KEY (tenant, bell, person)
bell_member: bell_member_tenant_unit_bell_fkey FOREIGN KEY (tenant, unit, bell) REFERENCES bell(tenant, unit, id) ON DELETE CASCADE
bell_member: bell_member_tenant_unit_person_fkey FOREIGN KEY (tenant, unit, person) REFERENCES membership(tenant, unit, person) ON DELETE CASCADE
CREATE INDEX bell_member_membership ON public.bell_member USING btree (tenant, unit, person)
CREATE UNIQUE INDEX bell_member_pkey ON public.bell_member USING btree (tenant, bell, person)
bell_picture.tenant uuid NOT NULL
bell_picture.bell uuid NOT NULL
bell_picture.id uuid NOT NULL
bell_picture.unit uuid NOT NULL
bell_picture.person uuid
bell_picture.content bytea NOT NULL
bell_picture.state text NOT NULL
bell_picture: bell_picture_pkey PRIMARY KEY (tenant, bell)
bell_picture: bell_picture_state_check CHECK ((state = ANY (ARRAY['seen'::text, 'new'::text, 'waits'::text])))
bell_picture: bell_picture_tenant_bell_fkey FOREIGN KEY (tenant, bell) REFERENCES bell(tenant, id) ON DELETE CASCADE
bell_picture: bell_picture_tenant_id_key UNIQUE (tenant, id)
bell_picture: bell_picture_tenant_unit_person_fkey FOREIGN KEY (tenant, unit, person) REFERENCES membership(tenant, unit, person) ON DELETE CASCADE
CREATE INDEX bell_picture_person ON public.bell_picture USING btree (tenant, unit, person)
CREATE UNIQUE INDEX bell_picture_pkey ON public.bell_picture USING btree (tenant, bell)
CREATE UNIQUE INDEX bell_picture_tenant_id_key ON public.bell_picture USING btree (tenant, id)
building.tenant uuid NOT NULL
building.id uuid NOT NULL
building.name text NOT NULL
building.address text NOT NULL
building.kind text NOT NULL
building.time_zone text NOT NULL
building.mode text NOT NULL
building.version bigint NOT NULL
building.holidays text NOT NULL
building.residential_until bigint
building: building_holidays_check CHECK ((holidays = ANY (ARRAY['none'::text, 'norway'::text, 'sweden'::text, 'denmark'::text, 'finland'::text])))
building: building_kind_check CHECK ((kind = ANY (ARRAY['residential'::text, 'commercial'::text, 'mixed'::text])))
building: building_mode_check CHECK ((mode = ANY (ARRAY['normal'::text, 'locked_down'::text])))
building: building_pkey PRIMARY KEY (tenant, id)
building: building_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(tenant)
CREATE UNIQUE INDEX building_kind ON public.building USING btree (tenant, id, kind)
CREATE UNIQUE INDEX building_pkey ON public.building USING btree (tenant, id)
building_policy.tenant uuid NOT NULL
building_policy.building uuid NOT NULL
building_policy.version bigint NOT NULL
building_policy.policy text NOT NULL
building_policy: building_policy_pkey PRIMARY KEY (tenant, building)
building_policy: building_policy_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
CREATE UNIQUE INDEX building_policy_pkey ON public.building_policy USING btree (tenant, building)
card.tenant uuid NOT NULL
card.id uuid NOT NULL
card.building uuid NOT NULL
card.person uuid NOT NULL
card.name text NOT NULL
card.folded bytea NOT NULL
card.format text NOT NULL
card.bits bigint NOT NULL
card.raw bytea NOT NULL
card.written_as text NOT NULL
card.tier text NOT NULL
card.blocked_by text
card.version bigint NOT NULL
card: card_bits_check CHECK (((bits >= 24) AND (bits <= 200)))
card: card_blocked_by_check CHECK ((blocked_by = ANY (ARRAY['holder'::text, 'administrator'::text])))
card: card_format_check CHECK ((format = ANY (ARRAY['bits'::text, 'serial'::text])))
card: card_pkey PRIMARY KEY (tenant, id)
card: card_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
card: card_tenant_building_format_bits_raw_key UNIQUE (tenant, building, format, bits, raw)
card: card_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
card: card_tier_check CHECK ((tier = ANY (ARRAY['identifier'::text, 'proven'::text])))
card: card_written_as_check CHECK ((written_as = ANY (ARRAY['serial'::text, 'wiegand26'::text, 'wiegand34'::text, 'bits'::text])))
CREATE INDEX card_of_person ON public.card USING btree (tenant, person, building)
CREATE UNIQUE INDEX card_pkey ON public.card USING btree (tenant, id)
CREATE UNIQUE INDEX card_tenant_building_format_bits_raw_key ON public.card USING btree (tenant, building, format, bits, raw)
confidentiality.tenant uuid NOT NULL
confidentiality.person uuid NOT NULL
confidentiality.version integer NOT NULL
confidentiality.accepted_at bigint NOT NULL
confidentiality: confidentiality_pkey PRIMARY KEY (tenant, person, version)
confidentiality: confidentiality_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE UNIQUE INDEX confidentiality_pkey ON public.confidentiality USING btree (tenant, person, version)
controller.tenant uuid NOT NULL
controller.id uuid NOT NULL
controller.building uuid NOT NULL
controller.name text NOT NULL
controller.certificate_sha256 bytea NOT NULL
controller.revision bigint NOT NULL
controller.version bigint NOT NULL
controller: controller_certificate_sha256_key UNIQUE (certificate_sha256)
controller: controller_pkey PRIMARY KEY (tenant, id)
controller: controller_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id)
controller: controller_tenant_building_id_key UNIQUE (tenant, building, id)
CREATE UNIQUE INDEX controller_certificate_sha256_key ON public.controller USING btree (certificate_sha256)
CREATE UNIQUE INDEX controller_pkey ON public.controller USING btree (tenant, id)
CREATE UNIQUE INDEX controller_tenant_building_id_key ON public.controller USING btree (tenant, building, id)
controller_journal.tenant uuid NOT NULL
controller_journal.controller uuid NOT NULL
controller_journal.journal uuid NOT NULL
controller_journal.seq bigint NOT NULL
controller_journal: controller_journal_pkey PRIMARY KEY (tenant, controller)
controller_journal: controller_journal_tenant_controller_fkey FOREIGN KEY (tenant, controller) REFERENCES controller(tenant, id) ON DELETE CASCADE
CREATE UNIQUE INDEX controller_journal_pkey ON public.controller_journal USING btree (tenant, controller)
device.tenant uuid NOT NULL
device.id uuid NOT NULL
device.person uuid NOT NULL
device.name text NOT NULL
device.kind text NOT NULL
device: device_kind_check CHECK ((kind = ANY (ARRAY['app'::text, 'station'::text])))
device: device_pkey PRIMARY KEY (tenant, id)
device: device_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE INDEX device_person ON public.device USING btree (tenant, person)
CREATE UNIQUE INDEX device_pkey ON public.device USING btree (tenant, id)
door.tenant uuid NOT NULL
door.id uuid NOT NULL
door.building uuid NOT NULL
door.name text NOT NULL
door.controller uuid
door.output integer NOT NULL
door.release_ms bigint NOT NULL
door.open_ms bigint NOT NULL
door.relock text NOT NULL
door.version bigint NOT NULL
door.extended_release_ms bigint NOT NULL
door.kind text NOT NULL
door: door_kind_check CHECK ((kind = ANY (ARRAY['door'::text, 'floor'::text])))
door: door_pkey PRIMARY KEY (tenant, id)
door: door_relock_check CHECK ((relock = ANY (ARRAY['on_open'::text, 'on_close'::text])))
door: door_tenant_building_controller_fkey FOREIGN KEY (tenant, building, controller) REFERENCES controller(tenant, building, id)
door: door_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id)
door: door_tenant_building_id_key UNIQUE (tenant, building, id)
door: door_tenant_controller_output_key UNIQUE (tenant, controller, output)
CREATE UNIQUE INDEX door_pkey ON public.door USING btree (tenant, id)
CREATE UNIQUE INDEX door_tenant_building_id_key ON public.door USING btree (tenant, building, id)
CREATE UNIQUE INDEX door_tenant_controller_output_key ON public.door USING btree (tenant, controller, output)
door_group.tenant uuid NOT NULL
door_group.id uuid NOT NULL
door_group.building uuid NOT NULL
door_group.name text NOT NULL
door_group.version bigint NOT NULL
door_group: door_group_pkey PRIMARY KEY (tenant, id)
door_group: door_group_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
door_group: door_group_tenant_building_id_key UNIQUE (tenant, building, id)
CREATE UNIQUE INDEX door_group_pkey ON public.door_group USING btree (tenant, id)
CREATE UNIQUE INDEX door_group_tenant_building_id_key ON public.door_group USING btree (tenant, building, id)
door_group_door.tenant uuid NOT NULL
door_group_door.door_group uuid NOT NULL
door_group_door.door uuid NOT NULL
door_group_door.building uuid NOT NULL
door_group_door: door_group_door_pkey PRIMARY KEY (tenant, door_group, door)
door_group_door: door_group_door_tenant_building_door_fkey FOREIGN KEY (tenant, building, door) REFERENCES door(tenant, building, id) ON DELETE CASCADE
door_group_door: door_group_door_tenant_building_door_group_fkey FOREIGN KEY (tenant, building, door_group) REFERENCES door_group(tenant, building, id) ON DELETE CASCADE
CREATE INDEX door_group_of_door ON public.door_group_door USING btree (tenant, door, door_group)
CREATE UNIQUE INDEX door_group_door_pkey ON public.door_group_door USING btree (tenant, door_group, door)
door_setting.tenant uuid NOT NULL
door_setting.door uuid NOT NULL
door_setting.building uuid NOT NULL
door_setting.refuses_copyable boolean NOT NULL
door_setting.two_people_s bigint
door_setting.after_door uuid
door_setting.after_s bigint
door_setting.airlock bigint
door_setting.unlocked uuid
door_setting.first_person_in boolean NOT NULL
door_setting.held text
door_setting: door_setting_after_s_check CHECK (((after_s >= 5) AND (after_s <= 600)))
door_setting: door_setting_airlock_check CHECK (((airlock >= 1) AND (airlock <= 99)))
door_setting: door_setting_check CHECK (((after_door IS NULL) = (after_s IS NULL)))
door_setting: door_setting_check1 CHECK ((after_door <> door))
door_setting: door_setting_held_check CHECK ((held = ANY (ARRAY['unlocked'::text, 'blocked'::text])))
door_setting: door_setting_pkey PRIMARY KEY (tenant, door)
door_setting: door_setting_tenant_building_after_door_fkey FOREIGN KEY (tenant, building, after_door) REFERENCES door(tenant, building, id)
door_setting: door_setting_tenant_building_door_fkey FOREIGN KEY (tenant, building, door) REFERENCES door(tenant, building, id) ON DELETE CASCADE
door_setting: door_setting_tenant_building_unlocked_fkey FOREIGN KEY (tenant, building, unlocked) REFERENCES schedule(tenant, building, id)
door_setting: door_setting_two_people_s_check CHECK (((two_people_s >= 3) AND (two_people_s <= 60)))
CREATE INDEX door_setting_after ON public.door_setting USING btree (tenant, building, after_door)
CREATE INDEX door_setting_unlocked ON public.door_setting USING btree (tenant, building, unlocked)
CREATE UNIQUE INDEX door_setting_pkey ON public.door_setting USING btree (tenant, door)
entrance.tenant uuid NOT NULL
entrance.id uuid NOT NULL
entrance.building uuid NOT NULL
entrance.name text NOT NULL
entrance.version bigint NOT NULL
entrance: entrance_pkey PRIMARY KEY (tenant, id)
entrance: entrance_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id)
entrance: entrance_tenant_building_id_key UNIQUE (tenant, building, id)
CREATE UNIQUE INDEX entrance_pkey ON public.entrance USING btree (tenant, id)
CREATE UNIQUE INDEX entrance_tenant_building_id_key ON public.entrance USING btree (tenant, building, id)
guest.tenant uuid NOT NULL
guest.id uuid NOT NULL
guest.building uuid NOT NULL
guest.host uuid
guest.unit uuid
guest.name text NOT NULL
guest.starts_at bigint NOT NULL
guest.ends_at bigint NOT NULL
guest.hours text
guest.once boolean NOT NULL
guest.taken boolean NOT NULL
guest.link_number bigint NOT NULL
guest.code_number bigint NOT NULL
guest.code_hash bytea NOT NULL
guest.version bigint NOT NULL
guest: guest_pkey PRIMARY KEY (tenant, id)
guest: guest_tenant_building_code_hash_key UNIQUE (tenant, building, code_hash)
guest: guest_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
guest: guest_tenant_building_id_key UNIQUE (tenant, building, id)
guest: guest_tenant_host_fkey FOREIGN KEY (tenant, host) REFERENCES person(tenant, id) ON DELETE CASCADE
guest: guest_tenant_unit_fkey FOREIGN KEY (tenant, unit) REFERENCES unit(tenant, id) ON DELETE CASCADE
CREATE INDEX guest_end ON public.guest USING btree (ends_at)
CREATE INDEX guest_host ON public.guest USING btree (tenant, host)
CREATE INDEX guest_id ON public.guest USING btree (id)
CREATE INDEX guest_unit ON public.guest USING btree (tenant, unit)
CREATE UNIQUE INDEX guest_pkey ON public.guest USING btree (tenant, id)
CREATE UNIQUE INDEX guest_tenant_building_code_hash_key ON public.guest USING btree (tenant, building, code_hash)
CREATE UNIQUE INDEX guest_tenant_building_id_key ON public.guest USING btree (tenant, building, id)
guest_door.tenant uuid NOT NULL
guest_door.guest uuid NOT NULL
guest_door.door uuid NOT NULL
guest_door.building uuid NOT NULL
guest_door: guest_door_pkey PRIMARY KEY (tenant, guest, door)
guest_door: guest_door_tenant_building_door_fkey FOREIGN KEY (tenant, building, door) REFERENCES door(tenant, building, id) ON DELETE CASCADE
guest_door: guest_door_tenant_building_guest_fkey FOREIGN KEY (tenant, building, guest) REFERENCES guest(tenant, building, id) ON DELETE CASCADE
CREATE INDEX guest_door_door ON public.guest_door USING btree (tenant, door)
CREATE UNIQUE INDEX guest_door_pkey ON public.guest_door USING btree (tenant, guest, door)
guest_mail.tenant uuid NOT NULL
guest_mail.guest uuid NOT NULL
guest_mail.email text NOT NULL
guest_mail.language text NOT NULL
guest_mail: guest_mail_pkey PRIMARY KEY (tenant, guest)
guest_mail: guest_mail_tenant_guest_fkey FOREIGN KEY (tenant, guest) REFERENCES guest(tenant, id) ON DELETE CASCADE
CREATE UNIQUE INDEX guest_mail_pkey ON public.guest_mail USING btree (tenant, guest)
household_member.tenant uuid NOT NULL
household_member.unit uuid NOT NULL
household_member.person uuid NOT NULL
household_member: household_member_pkey PRIMARY KEY (tenant, unit, person)
household_member: household_member_tenant_unit_person_fkey FOREIGN KEY (tenant, unit, person) REFERENCES membership(tenant, unit, person) ON DELETE CASCADE
CREATE UNIQUE INDEX household_member_pkey ON public.household_member USING btree (tenant, unit, person)
import.tenant uuid NOT NULL
import.id uuid NOT NULL
import.building uuid NOT NULL
import.state text NOT NULL
import.content text NOT NULL
import.wish text
import.failed text
import.done text
import.kept bigint NOT NULL
import.ends_at bigint NOT NULL
import: import_failed_check CHECK ((failed = ANY (ARRAY['has_errors'::text, 'interrupted'::text, 'not_allowed'::text])))
import: import_pkey PRIMARY KEY (tenant, id)
import: import_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'applying'::text, 'applied'::text, 'undoing'::text, 'undone'::text])))
import: import_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
CREATE UNIQUE INDEX import_pkey ON public.import USING btree (tenant, id)
installation.singleton integer NOT NULL
installation.tenant uuid NOT NULL
installation.ios_min text NOT NULL
installation.android_min text NOT NULL
installation: installation_pkey PRIMARY KEY (singleton)
installation: installation_singleton_check CHECK ((singleton = 1))
installation: installation_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(tenant) DEFERRABLE INITIALLY DEFERRED
CREATE UNIQUE INDEX installation_pkey ON public.installation USING btree (singleton)
invitation.tenant uuid NOT NULL
invitation.person uuid NOT NULL
invitation.token_hash bytea NOT NULL
invitation.ends_at bigint NOT NULL
invitation.used boolean NOT NULL
invitation: invitation_pkey PRIMARY KEY (tenant, person)
invitation: invitation_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
invitation: invitation_token_hash_key UNIQUE (token_hash)
CREATE UNIQUE INDEX invitation_pkey ON public.invitation USING btree (tenant, person)
CREATE UNIQUE INDEX invitation_token_hash_key ON public.invitation USING btree (token_hash)
job.tenant uuid NOT NULL
job.id uuid NOT NULL
job.kind text NOT NULL
job.subject uuid NOT NULL
job.run_at bigint NOT NULL
job.attempts integer NOT NULL
job: job_anew_kind_check CHECK ((kind = ANY (ARRAY['invite'::text, 'import'::text, 'guest_mail'::text])))
job: job_anew_pkey PRIMARY KEY (tenant, id)
job: job_anew_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(tenant)
job: job_anew_tenant_kind_subject_key UNIQUE (tenant, kind, subject)
CREATE INDEX job_due ON public.job USING btree (run_at)
CREATE UNIQUE INDEX job_anew_pkey ON public.job USING btree (tenant, id)
CREATE UNIQUE INDEX job_anew_tenant_kind_subject_key ON public.job USING btree (tenant, kind, subject)
membership.tenant uuid NOT NULL
membership.unit uuid NOT NULL
membership.person uuid NOT NULL
membership.owner boolean NOT NULL
membership: membership_pkey PRIMARY KEY (tenant, unit, person)
membership: membership_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
membership: membership_tenant_unit_fkey FOREIGN KEY (tenant, unit) REFERENCES unit(tenant, id) ON DELETE CASCADE
CREATE INDEX membership_home ON public.membership USING btree (tenant, person, unit)
CREATE UNIQUE INDEX membership_pkey ON public.membership USING btree (tenant, unit, person)
move.tenant uuid NOT NULL
move.id uuid NOT NULL
move.building uuid NOT NULL
move.unit uuid NOT NULL
move.last_day bigint NOT NULL
move.ends_at bigint NOT NULL
move.state text NOT NULL
move.ended text
move.to_unit uuid
move: move_pkey PRIMARY KEY (tenant, id)
move: move_state_check CHECK ((state = ANY (ARRAY['scheduled'::text, 'done'::text])))
move: move_tenant_building_unit_fkey FOREIGN KEY (tenant, building, unit) REFERENCES unit(tenant, building, id) ON DELETE CASCADE
move: move_tenant_to_unit_fkey FOREIGN KEY (tenant, to_unit) REFERENCES unit(tenant, id) ON DELETE CASCADE
CREATE INDEX move_due ON public.move USING btree (state, ends_at)
CREATE INDEX move_list ON public.move USING btree (tenant, building, state, ends_at, id)
CREATE INDEX move_unit ON public.move USING btree (tenant, unit)
CREATE UNIQUE INDEX move_pkey ON public.move USING btree (tenant, id)
move_person.tenant uuid NOT NULL
move_person.move uuid NOT NULL
move_person.person uuid NOT NULL
move_person.direction text NOT NULL
move_person.owner boolean NOT NULL
move_person: move_person_direction_check CHECK ((direction = ANY (ARRAY['out'::text, 'in'::text])))
move_person: move_person_pkey PRIMARY KEY (tenant, move, person)
move_person: move_person_tenant_move_fkey FOREIGN KEY (tenant, move) REFERENCES move(tenant, id) ON DELETE CASCADE
move_person: move_person_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE UNIQUE INDEX move_person_pkey ON public.move_person USING btree (tenant, move, person)
panel.tenant uuid NOT NULL
panel.id uuid NOT NULL
panel.building uuid NOT NULL
panel.entrance uuid
panel.name text NOT NULL
panel.public_key bytea
panel.version bigint NOT NULL
panel.wrong_codes bigint NOT NULL
panel: panel_id_key UNIQUE (id)
panel: panel_pkey PRIMARY KEY (tenant, id)
panel: panel_tenant_building_entrance_fkey FOREIGN KEY (tenant, building, entrance) REFERENCES entrance(tenant, building, id)
panel: panel_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id)
panel: panel_tenant_building_id_key UNIQUE (tenant, building, id)
CREATE UNIQUE INDEX panel_id_key ON public.panel USING btree (id)
CREATE UNIQUE INDEX panel_pkey ON public.panel USING btree (tenant, id)
CREATE UNIQUE INDEX panel_tenant_building_id_key ON public.panel USING btree (tenant, building, id)
panel_door.tenant uuid NOT NULL
panel_door.panel uuid NOT NULL
panel_door.door uuid NOT NULL
panel_door.building uuid NOT NULL
panel_door.position integer NOT NULL
panel_door: panel_door_pkey PRIMARY KEY (tenant, panel, door)
panel_door: panel_door_tenant_building_door_fkey FOREIGN KEY (tenant, building, door) REFERENCES door(tenant, building, id) ON DELETE CASCADE
panel_door: panel_door_tenant_building_panel_fkey FOREIGN KEY (tenant, building, panel) REFERENCES panel(tenant, building, id) ON DELETE CASCADE
CREATE UNIQUE INDEX panel_door_pkey ON public.panel_door USING btree (tenant, panel, door)
people_group.tenant uuid NOT NULL
people_group.id uuid NOT NULL
people_group.building uuid NOT NULL
people_group.name text NOT NULL
people_group.version bigint NOT NULL
people_group: people_group_pkey PRIMARY KEY (tenant, id)
people_group: people_group_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
people_group: people_group_tenant_building_id_key UNIQUE (tenant, building, id)
CREATE UNIQUE INDEX people_group_pkey ON public.people_group USING btree (tenant, id)
CREATE UNIQUE INDEX people_group_tenant_building_id_key ON public.people_group USING btree (tenant, building, id)
people_group_member.tenant uuid NOT NULL
people_group_member.people_group uuid NOT NULL
people_group_member.person uuid NOT NULL
people_group_member: people_group_member_pkey PRIMARY KEY (tenant, people_group, person)
people_group_member: people_group_member_tenant_people_group_fkey FOREIGN KEY (tenant, people_group) REFERENCES people_group(tenant, id) ON DELETE CASCADE
people_group_member: people_group_member_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE INDEX people_group_of_person ON public.people_group_member USING btree (tenant, person, people_group)
CREATE UNIQUE INDEX people_group_member_pkey ON public.people_group_member USING btree (tenant, people_group, person)
person.tenant uuid NOT NULL
person.id uuid NOT NULL
person.name text NOT NULL
person.active boolean NOT NULL
person.email text
person.phone text
person.language text NOT NULL
person.version bigint NOT NULL
person.sort_name bytea NOT NULL
person.needs_longer boolean NOT NULL
person: person_pkey PRIMARY KEY (tenant, id)
person: person_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(tenant)
CREATE INDEX person_sort ON public.person USING btree (tenant, sort_name, id)
CREATE UNIQUE INDEX person_pkey ON public.person USING btree (tenant, id)
person_code.tenant uuid NOT NULL
person_code.building uuid NOT NULL
person_code.person uuid NOT NULL
person_code.number bigint NOT NULL
person_code.hash bytea NOT NULL
person_code.duress_hash bytea NOT NULL
person_code: person_code_pkey PRIMARY KEY (tenant, building, person)
person_code: person_code_tenant_building_duress_hash_key UNIQUE (tenant, building, duress_hash)
person_code: person_code_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
person_code: person_code_tenant_building_hash_key UNIQUE (tenant, building, hash)
person_code: person_code_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE INDEX person_code_of_person ON public.person_code USING btree (tenant, person)
CREATE UNIQUE INDEX person_code_pkey ON public.person_code USING btree (tenant, building, person)
CREATE UNIQUE INDEX person_code_tenant_building_duress_hash_key ON public.person_code USING btree (tenant, building, duress_hash)
CREATE UNIQUE INDEX person_code_tenant_building_hash_key ON public.person_code USING btree (tenant, building, hash)
person_word.tenant uuid NOT NULL
person_word.word bytea NOT NULL
person_word.person uuid NOT NULL
person_word: person_word_pkey PRIMARY KEY (tenant, word, person)
person_word: person_word_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE INDEX person_word_person ON public.person_word USING btree (tenant, person)
CREATE UNIQUE INDEX person_word_pkey ON public.person_word USING btree (tenant, word, person)
phone_limits.tenant uuid NOT NULL
phone_limits.countries text NOT NULL
phone_limits.number_hour integer NOT NULL
phone_limits.building_hour integer NOT NULL
phone_limits.tenant_day integer NOT NULL
phone_limits.version bigint NOT NULL
phone_limits: phone_limits_building_hour_check CHECK ((building_hour > 0))
phone_limits: phone_limits_number_hour_check CHECK ((number_hour > 0))
phone_limits: phone_limits_pkey PRIMARY KEY (tenant)
phone_limits: phone_limits_tenant_day_check CHECK ((tenant_day > 0))
phone_limits: phone_limits_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(tenant)
CREATE UNIQUE INDEX phone_limits_pkey ON public.phone_limits USING btree (tenant)
phone_number.tenant uuid NOT NULL
phone_number.person uuid NOT NULL
phone_number.number text NOT NULL
phone_number.verified text NOT NULL
phone_number: phone_number_pkey PRIMARY KEY (tenant, person)
phone_number: phone_number_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
phone_number: phone_number_verified_check CHECK ((verified = ANY (ARRAY['vouched'::text, 'called'::text])))
CREATE UNIQUE INDEX phone_number_pkey ON public.phone_number USING btree (tenant, person)
phone_number_by.tenant uuid NOT NULL
phone_number_by.person uuid NOT NULL
phone_number_by.by_person uuid NOT NULL
phone_number_by: phone_number_by_pkey PRIMARY KEY (tenant, person)
phone_number_by: phone_number_by_tenant_by_person_fkey FOREIGN KEY (tenant, by_person) REFERENCES person(tenant, id) ON DELETE CASCADE
phone_number_by: phone_number_by_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES phone_number(tenant, person) ON DELETE CASCADE
CREATE INDEX phone_number_by_person ON public.phone_number_by USING btree (tenant, by_person)
CREATE UNIQUE INDEX phone_number_by_pkey ON public.phone_number_by USING btree (tenant, person)
record_policy.tenant uuid NOT NULL
record_policy.building uuid NOT NULL
record_policy.kind text NOT NULL
record_policy.purpose text NOT NULL
record_policy.days integer NOT NULL
record_policy.told_on bigint NOT NULL
record_policy.begins_at bigint
record_policy.version bigint NOT NULL
record_policy: record_policy_days_check CHECK (((days >= 1) AND (days <= 90)))
record_policy: record_policy_kind_check CHECK ((kind = 'commercial'::text))
record_policy: record_policy_pkey PRIMARY KEY (tenant, building)
record_policy: record_policy_tenant_building_begins_at_key UNIQUE (tenant, building, begins_at)
record_policy: record_policy_tenant_building_kind_fkey FOREIGN KEY (tenant, building, kind) REFERENCES building(tenant, id, kind) ON DELETE CASCADE
CREATE UNIQUE INDEX record_policy_pkey ON public.record_policy USING btree (tenant, building)
CREATE UNIQUE INDEX record_policy_tenant_building_begins_at_key ON public.record_policy USING btree (tenant, building, begins_at)
record_policy_by.tenant uuid NOT NULL
record_policy_by.building uuid NOT NULL
record_policy_by.did text NOT NULL
record_policy_by.person uuid NOT NULL
record_policy_by: record_policy_by_did_check CHECK ((did = ANY (ARRAY['asked'::text, 'confirmed'::text])))
record_policy_by: record_policy_by_pkey PRIMARY KEY (tenant, building, did)
record_policy_by: record_policy_by_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES record_policy(tenant, building) ON DELETE CASCADE
record_policy_by: record_policy_by_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE INDEX record_policy_by_person ON public.record_policy_by USING btree (tenant, person)
CREATE UNIQUE INDEX record_policy_by_pkey ON public.record_policy_by USING btree (tenant, building, did)
record_reading.tenant uuid NOT NULL
record_reading.id uuid NOT NULL
record_reading.building uuid NOT NULL
record_reading.at bigint NOT NULL
record_reading.person uuid
record_reading.door uuid
record_reading.from_at bigint
record_reading.until_at bigint
record_reading.file boolean NOT NULL
record_reading.purpose text
record_reading.forget_at bigint NOT NULL
record_reading: record_reading_pkey PRIMARY KEY (tenant, id)
record_reading: record_reading_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
record_reading: record_reading_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE INDEX record_reading_building ON public.record_reading USING btree (tenant, building, at, id)
CREATE INDEX record_reading_forget ON public.record_reading USING btree (forget_at)
CREATE INDEX record_reading_person ON public.record_reading USING btree (tenant, person)
CREATE UNIQUE INDEX record_reading_pkey ON public.record_reading USING btree (tenant, id)
record_reading_by.tenant uuid NOT NULL
record_reading_by.reading uuid NOT NULL
record_reading_by.person uuid NOT NULL
record_reading_by: record_reading_by_pkey PRIMARY KEY (tenant, reading)
record_reading_by: record_reading_by_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
record_reading_by: record_reading_by_tenant_reading_fkey FOREIGN KEY (tenant, reading) REFERENCES record_reading(tenant, id) ON DELETE CASCADE
CREATE INDEX record_reading_by_person ON public.record_reading_by USING btree (tenant, person)
CREATE UNIQUE INDEX record_reading_by_pkey ON public.record_reading_by USING btree (tenant, reading)
role_grant.tenant uuid NOT NULL
role_grant.id uuid NOT NULL
role_grant.person uuid NOT NULL
role_grant.role text NOT NULL
role_grant.building uuid
role_grant.ends_at bigint
role_grant: role_grant_pkey PRIMARY KEY (tenant, id)
role_grant: role_grant_role_check CHECK ((role = ANY (ARRAY['operator'::text, 'manager'::text, 'building_administrator'::text, 'caretaker'::text, 'auditor'::text])))
role_grant: role_grant_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
role_grant: role_grant_tenant_person_fkey FOREIGN KEY (tenant, person) REFERENCES person(tenant, id) ON DELETE CASCADE
CREATE INDEX role_grant_building ON public.role_grant USING btree (tenant, building)
CREATE INDEX role_grant_person ON public.role_grant USING btree (tenant, person)
CREATE UNIQUE INDEX role_grant_pkey ON public.role_grant USING btree (tenant, id)
schedule.tenant uuid NOT NULL
schedule.id uuid NOT NULL
schedule.building uuid NOT NULL
schedule.name text NOT NULL
schedule.hours text NOT NULL
schedule.version bigint NOT NULL
schedule: schedule_pkey PRIMARY KEY (tenant, id)
schedule: schedule_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
schedule: schedule_tenant_building_id_key UNIQUE (tenant, building, id)
CREATE UNIQUE INDEX schedule_pkey ON public.schedule USING btree (tenant, id)
CREATE UNIQUE INDEX schedule_tenant_building_id_key ON public.schedule USING btree (tenant, building, id)
seaql_migrations.version character varying NOT NULL
seaql_migrations.applied_at bigint NOT NULL
seaql_migrations: seaql_migrations_pkey PRIMARY KEY (version)
CREATE UNIQUE INDEX seaql_migrations_pkey ON public.seaql_migrations USING btree (version)
session.tenant uuid NOT NULL
session.id uuid NOT NULL
session.device uuid NOT NULL
session.token_hash bytea NOT NULL
session.expires_day bigint NOT NULL
session: session_pkey PRIMARY KEY (tenant, id)
session: session_tenant_device_fkey FOREIGN KEY (tenant, device) REFERENCES device(tenant, id) ON DELETE CASCADE
session: session_token_hash_key UNIQUE (token_hash)
CREATE INDEX session_device ON public.session USING btree (tenant, device)
CREATE UNIQUE INDEX session_pkey ON public.session USING btree (tenant, id)
CREATE UNIQUE INDEX session_token_hash_key ON public.session USING btree (token_hash)
sip_account.tenant uuid NOT NULL
sip_account.id uuid NOT NULL
sip_account.name text NOT NULL
sip_account.device uuid
sip_account.panel uuid
sip_account.md5 text NOT NULL
sip_account.sha256 text NOT NULL
sip_account: sip_account_check CHECK (((device IS NULL) <> (panel IS NULL)))
sip_account: sip_account_name_key UNIQUE (name)
sip_account: sip_account_pkey PRIMARY KEY (tenant, id)
sip_account: sip_account_tenant_device_fkey FOREIGN KEY (tenant, device) REFERENCES device(tenant, id) ON DELETE CASCADE
sip_account: sip_account_tenant_device_key UNIQUE (tenant, device)
sip_account: sip_account_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(tenant)
sip_account: sip_account_tenant_panel_fkey FOREIGN KEY (tenant, panel) REFERENCES panel(tenant, id) ON DELETE CASCADE
sip_account: sip_account_tenant_panel_key UNIQUE (tenant, panel)
CREATE UNIQUE INDEX sip_account_name_key ON public.sip_account USING btree (name)
CREATE UNIQUE INDEX sip_account_pkey ON public.sip_account USING btree (tenant, id)
CREATE UNIQUE INDEX sip_account_tenant_device_key ON public.sip_account USING btree (tenant, device)
CREATE UNIQUE INDEX sip_account_tenant_panel_key ON public.sip_account USING btree (tenant, panel)
station_bell.tenant uuid NOT NULL
station_bell.panel uuid NOT NULL
station_bell.bell uuid NOT NULL
station_bell: station_bell_pkey PRIMARY KEY (tenant, panel)
station_bell: station_bell_tenant_bell_fkey FOREIGN KEY (tenant, bell) REFERENCES bell(tenant, id) ON DELETE CASCADE
station_bell: station_bell_tenant_panel_fkey FOREIGN KEY (tenant, panel) REFERENCES panel(tenant, id) ON DELETE CASCADE
CREATE INDEX station_bell_bell ON public.station_bell USING btree (tenant, bell)
CREATE UNIQUE INDEX station_bell_pkey ON public.station_bell USING btree (tenant, panel)
station_relay.tenant uuid NOT NULL
station_relay.door uuid NOT NULL
station_relay.building uuid NOT NULL
station_relay.panel uuid NOT NULL
station_relay.way text NOT NULL
station_relay.keys text
station_relay.https boolean
station_relay.port integer
station_relay.path text
station_relay.account text
station_relay.password bytea
station_relay.basic boolean
station_relay.certificate bytea
station_relay: station_relay_check CHECK (((way = 'keys'::text) = (keys IS NOT NULL)))
station_relay: station_relay_check1 CHECK (((way = 'http'::text) = (https IS NOT NULL)))
station_relay: station_relay_check2 CHECK (((way = 'http'::text) = (port IS NOT NULL)))
station_relay: station_relay_check3 CHECK (((way = 'http'::text) = (path IS NOT NULL)))
station_relay: station_relay_check4 CHECK (((way = 'http'::text) = (basic IS NOT NULL)))
station_relay: station_relay_check5 CHECK (((password IS NULL) OR (account IS NOT NULL)))
station_relay: station_relay_check6 CHECK (((account IS NULL) OR (way = 'http'::text)))
station_relay: station_relay_check7 CHECK (((certificate IS NULL) OR ((https IS NOT NULL) AND https AND (length(certificate) = 32))))
station_relay: station_relay_pkey PRIMARY KEY (tenant, door)
station_relay: station_relay_port_check CHECK (((port >= 1) AND (port <= 65535)))
station_relay: station_relay_tenant_building_door_fkey FOREIGN KEY (tenant, building, door) REFERENCES door(tenant, building, id) ON DELETE CASCADE
station_relay: station_relay_tenant_building_panel_fkey FOREIGN KEY (tenant, building, panel) REFERENCES panel(tenant, building, id) ON DELETE CASCADE
station_relay: station_relay_way_check CHECK ((way = ANY (ARRAY['keys'::text, 'http'::text])))
CREATE INDEX station_relay_panel ON public.station_relay USING btree (tenant, panel)
CREATE UNIQUE INDEX station_relay_pkey ON public.station_relay USING btree (tenant, door)
tenant.tenant uuid NOT NULL
tenant.name text NOT NULL
tenant.suspended boolean NOT NULL
tenant.version bigint NOT NULL
tenant: tenant_pkey PRIMARY KEY (tenant)
CREATE UNIQUE INDEX tenant_pkey ON public.tenant USING btree (tenant)
trunk.tenant uuid NOT NULL
trunk.id uuid NOT NULL
trunk.position integer NOT NULL
trunk.name text NOT NULL
trunk.host text NOT NULL
trunk.port integer NOT NULL
trunk.way text NOT NULL
trunk.domain text
trunk.caller text NOT NULL
trunk.registers boolean NOT NULL
trunk.account text
trunk.password bytea
trunk.keys text NOT NULL
trunk.enabled boolean NOT NULL
trunk.version bigint NOT NULL
trunk.encryption text NOT NULL
trunk: trunk_check CHECK (((password IS NULL) OR (account IS NOT NULL)))
trunk: trunk_encryption_check CHECK ((encryption = ANY (ARRAY['off'::text, 'offered'::text, 'required'::text])))
trunk: trunk_keys_check CHECK ((keys = ANY (ARRAY['rfc4733'::text, 'tones'::text])))
trunk: trunk_pkey PRIMARY KEY (tenant, id)
trunk: trunk_port_check CHECK (((port >= 1) AND (port <= 65535)))
trunk: trunk_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(tenant)
trunk: trunk_way_check CHECK ((way = ANY (ARRAY['udp'::text, 'tcp'::text, 'tls'::text])))
CREATE UNIQUE INDEX trunk_pkey ON public.trunk USING btree (tenant, id)
unit.tenant uuid NOT NULL
unit.id uuid NOT NULL
unit.building uuid NOT NULL
unit.entrance uuid NOT NULL
unit.number text NOT NULL
unit.folded bytea NOT NULL
unit.sort_number bytea NOT NULL
unit.version bigint NOT NULL
unit: unit_pkey PRIMARY KEY (tenant, id)
unit: unit_tenant_building_entrance_fkey FOREIGN KEY (tenant, building, entrance) REFERENCES entrance(tenant, building, id)
unit: unit_tenant_building_id_key UNIQUE (tenant, building, id)
CREATE INDEX unit_folded ON public.unit USING btree (tenant, folded, id)
CREATE INDEX unit_of_building ON public.unit USING btree (tenant, building, folded, id)
CREATE UNIQUE INDEX unit_pkey ON public.unit USING btree (tenant, id)
CREATE UNIQUE INDEX unit_sort ON public.unit USING btree (tenant, building, sort_number, id)
CREATE UNIQUE INDEX unit_tenant_building_id_key ON public.unit USING btree (tenant, building, id)
unit_door.tenant uuid NOT NULL
unit_door.unit uuid NOT NULL
unit_door.door uuid NOT NULL
unit_door: unit_door_pkey PRIMARY KEY (tenant, unit, door)
unit_door: unit_door_tenant_door_fkey FOREIGN KEY (tenant, door) REFERENCES door(tenant, id) ON DELETE CASCADE
unit_door: unit_door_tenant_unit_fkey FOREIGN KEY (tenant, unit) REFERENCES unit(tenant, id) ON DELETE CASCADE
CREATE INDEX unit_door_door ON public.unit_door USING btree (tenant, door, unit)
CREATE UNIQUE INDEX unit_door_pkey ON public.unit_door USING btree (tenant, unit, door)
webhook.tenant uuid NOT NULL
webhook.id uuid NOT NULL
webhook.building uuid
webhook.url text NOT NULL
webhook.events text NOT NULL
webhook.enabled boolean NOT NULL
webhook.secret bigint NOT NULL
webhook.before_until bigint
webhook.version bigint NOT NULL
webhook.run_at bigint NOT NULL
webhook.attempts integer NOT NULL
webhook.failing_since bigint
webhook.failure text
webhook.lost bigint NOT NULL
webhook: webhook_pkey PRIMARY KEY (tenant, id)
webhook: webhook_tenant_building_fkey FOREIGN KEY (tenant, building) REFERENCES building(tenant, id) ON DELETE CASCADE
webhook: webhook_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant(tenant)
CREATE INDEX webhook_due ON public.webhook USING btree (run_at)
CREATE UNIQUE INDEX webhook_pkey ON public.webhook USING btree (tenant, id)
webhook_delivery.tenant uuid NOT NULL
webhook_delivery.webhook uuid NOT NULL
webhook_delivery.seq bigint NOT NULL
webhook_delivery.id uuid NOT NULL
webhook_delivery.event text NOT NULL
webhook_delivery.at bigint NOT NULL
webhook_delivery.building uuid
webhook_delivery.unit uuid
webhook_delivery.person uuid
webhook_delivery.import uuid
webhook_delivery.alarm uuid
webhook_delivery: webhook_delivery_pkey PRIMARY KEY (tenant, webhook, seq)
webhook_delivery: webhook_delivery_tenant_webhook_fkey FOREIGN KEY (tenant, webhook) REFERENCES webhook(tenant, id) ON DELETE CASCADE
CREATE UNIQUE INDEX webhook_delivery_pkey ON public.webhook_delivery USING btree (tenant, webhook, seq)
