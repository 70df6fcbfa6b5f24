//! The same questions as SQL that somebody wrote by hand, who trusts whoever asks: no rights, no tenant to look after
//! but the one.

use super::PAGE;
use super::town::Town;
use crate::Result;
use klinke_model::ids::{BuildingId, DoorId, TenantId};
use klinke_model::time::Timestamp;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement, Value};
use uuid::Uuid;

/// What a row is about, and beside it who or where.
pub type Row = (Uuid, Option<Uuid>);

/// The people of whom a word begins with this, or the number of a home.
pub const ONE_WORD: &str = "AND p.id IN (SELECT person FROM person_word WHERE tenant = $1 AND word >= $2 AND word < $3 \
    UNION SELECT m.person FROM unit u JOIN membership m ON m.tenant = u.tenant AND m.unit = u.id \
    WHERE u.tenant = $1 AND u.folded >= $2 AND u.folded < $3)";
pub const TWO_WORDS: &str = "AND p.id IN (SELECT person FROM person_word WHERE tenant = $1 AND word >= $2 AND word < $3 \
    UNION SELECT m.person FROM unit u JOIN membership m ON m.tenant = u.tenant AND m.unit = u.id \
    WHERE u.tenant = $1 AND u.folded >= $2 AND u.folded < $3) \
    AND p.id IN (SELECT person FROM person_word WHERE tenant = $1 AND word >= $4 AND word < $5 \
    UNION SELECT m.person FROM unit u JOIN membership m ON m.tenant = u.tenant AND m.unit = u.id \
    WHERE u.tenant = $1 AND u.folded >= $4 AND u.folded < $5)";
pub const OF_BUILDING: &str = "AND p.id IN (SELECT m.person FROM unit u JOIN membership m ON m.tenant = u.tenant AND m.unit = u.id \
    WHERE u.tenant = $1 AND u.building = $2)";
pub const UNREACHABLE: &str = "AND p.active AND EXISTS (SELECT 1 FROM membership m WHERE m.tenant = p.tenant AND m.person = p.id) \
    AND NOT EXISTS (SELECT 1 FROM device d WHERE d.tenant = p.tenant AND d.person = p.id)";
/// Somebody lives there, and no button rings a device of theirs.
pub const SILENT: &str = "AND EXISTS (SELECT 1 FROM membership m WHERE m.tenant = u.tenant AND m.unit = u.id) \
    AND NOT EXISTS (SELECT 1 FROM bell_member b JOIN person p ON p.tenant = b.tenant AND p.id = b.person \
    JOIN device d ON d.tenant = b.tenant AND d.person = b.person \
    WHERE b.tenant = u.tenant AND b.unit = u.id AND p.active)";

/// The ends of what begins with a word.
pub fn word(word: &str) -> Vec<Value> {
    let mut beyond = word.as_bytes().to_vec();
    if let Some(last) = beyond.last_mut() {
        *last += 1;
    }
    vec![word.as_bytes().to_vec().into(), beyond.into()]
}

/// A connection of the same driver.
pub struct Bare {
    connection: DatabaseConnection,
    tenant: TenantId,
}

impl Bare {
    /// Connects.
    ///
    /// # Errors
    /// When it can not.
    pub async fn connect(url: &str, town: &Town) -> Result<Self> {
        let mut options = ConnectOptions::new(url);
        options.max_connections(4).sqlx_logging(false);
        Ok(Self { connection: Database::connect(options).await?, tenant: town.scope.tenant })
    }

    async fn rows(&self, sql: &str, mut more: Vec<Value>) -> Result<Vec<Row>> {
        let mut values = vec![Value::from(self.tenant.0)];
        values.append(&mut more);
        let backend = self.connection.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, values);
        let mut rows = Vec::new();
        for row in self.connection.query_all_raw(statement).await? {
            // as a program would: what it shows is taken out of the row
            let _: String = row.try_get_by_index(2)?;
            rows.push((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
        }
        Ok(rows)
    }

    /// A page of the list.
    pub async fn people(&self, narrowed: &str, values: Vec<Value>) -> Result<Vec<Row>> {
        let page = format!(
            "SELECT * FROM person p WHERE p.tenant = $1 {narrowed} ORDER BY p.sort_name, p.id LIMIT {PAGE}"
        );
        self.list(&page, "p.sort_name, p.id", values).await
    }

    /// A page of the list of a building, by home.
    pub async fn by_home(&self, building: BuildingId) -> Result<Vec<Row>> {
        let keys = "u.sort_number, u.id, p.sort_name, p.id";
        let page = format!(
            "SELECT p.*, u.sort_number, u.id AS unit FROM unit u \
             JOIN membership m ON m.tenant = u.tenant AND m.unit = u.id \
             JOIN person p ON p.tenant = m.tenant AND p.id = m.person \
             WHERE u.tenant = $1 AND u.building = $2 AND NOT EXISTS (SELECT 1 FROM membership n \
             JOIN unit v ON v.tenant = n.tenant AND v.id = n.unit WHERE n.tenant = p.tenant AND n.person = p.id \
             AND v.building = $2 AND (v.sort_number, v.id) < (u.sort_number, u.id)) ORDER BY {keys} LIMIT {PAGE}"
        );
        self.list(&page, "p.sort_number, p.unit, p.sort_name, p.id", vec![building.0.into()]).await
    }

    async fn list(&self, page: &str, order: &str, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = format!(
            "SELECT p.id, m.unit, p.name, p.active, p.email, p.phone, p.language, p.version, m.owner, u.number, b.id, b.name, \
             EXISTS (SELECT 1 FROM device d WHERE d.tenant = p.tenant AND d.person = p.id), \
             EXISTS (SELECT 1 FROM account a WHERE a.tenant = p.tenant AND a.person = p.id), \
             (SELECT i.ends_at FROM invitation i WHERE i.tenant = p.tenant AND i.person = p.id AND NOT i.used), \
             (SELECT min(v.last_day) FROM move v JOIN move_person w ON w.tenant = v.tenant AND w.move = v.id \
              WHERE v.tenant = p.tenant AND v.unit = m.unit AND v.state = 'scheduled' AND w.direction = 'out' AND w.person = p.id) \
             FROM ({page}) p \
             JOIN membership m ON m.tenant = p.tenant AND m.person = p.id \
             JOIN unit u ON u.tenant = m.tenant AND u.id = m.unit \
             JOIN building b ON b.tenant = u.tenant AND b.id = u.building \
             ORDER BY {order}"
        );
        self.rows(&sql, values).await
    }

    /// A page of who may open a door, with the reasons.
    pub async fn openers(&self, door: DoorId, building: BuildingId, at: Timestamp) -> Result<Vec<Row>> {
        let sql = format!(
            "SELECT p.id, m.unit, p.name, u.number, g.role, g.ends_at FROM (SELECT * FROM person p WHERE p.tenant = $1 \
             AND p.active AND p.id IN (SELECT m.person FROM unit_door d JOIN membership m ON m.tenant = d.tenant AND \
             m.unit = d.unit WHERE d.tenant = $1 AND d.door = $2 UNION SELECT g.person FROM role_grant g JOIN confidentiality c \
             ON c.tenant = g.tenant AND c.person = g.person AND c.version = 1 WHERE g.tenant = $1 AND (g.building IS NULL OR \
             g.building = $3) AND g.role IN ('manager', 'building_administrator') AND (g.ends_at IS NULL OR g.ends_at > $4)) \
             ORDER BY p.sort_name, p.id LIMIT {PAGE}) p \
             LEFT JOIN membership m ON m.tenant = p.tenant AND m.person = p.id AND m.unit IN \
             (SELECT unit FROM unit_door WHERE tenant = $1 AND door = $2) \
             LEFT JOIN unit u ON u.tenant = m.tenant AND u.id = m.unit \
             LEFT JOIN role_grant g ON g.tenant = p.tenant AND g.person = p.id AND g.role IN ('manager', 'building_administrator') \
             ORDER BY p.sort_name, p.id"
        );
        let values = vec![door.0.into(), building.0.into(), at.as_millis().into()];
        let mut rows: Vec<Row> =
            self.rows(&sql, values).await?.into_iter().map(|(person, _)| (person, None)).collect();
        rows.dedup();
        Ok(rows)
    }

    /// A page of the homes of a building, with their people.
    pub async fn homes(&self, building: BuildingId, narrowed: &str) -> Result<Vec<Row>> {
        let sql = format!(
            "SELECT u.id, p.id, u.number, e.name, m.owner, p.name, p.active, \
             EXISTS (SELECT 1 FROM bell_member b JOIN person q ON q.tenant = b.tenant AND q.id = b.person JOIN device d ON \
             d.tenant = b.tenant AND d.person = b.person WHERE b.tenant = u.tenant AND b.unit = u.id AND q.active), \
             EXISTS (SELECT 1 FROM bell b WHERE b.tenant = u.tenant AND b.unit = u.id), \
             EXISTS (SELECT 1 FROM account a WHERE a.tenant = p.tenant AND a.person = p.id), \
             EXISTS (SELECT 1 FROM device d WHERE d.tenant = p.tenant AND d.person = p.id), \
             (SELECT i.ends_at FROM invitation i WHERE i.tenant = p.tenant AND i.person = p.id AND NOT i.used) \
             FROM (SELECT * FROM unit u WHERE u.tenant = $1 AND u.building = $2 {narrowed} ORDER BY u.folded, u.id LIMIT {PAGE}) u \
             JOIN entrance e ON e.tenant = u.tenant AND e.id = u.entrance \
             JOIN membership m ON m.tenant = u.tenant AND m.unit = u.id \
             JOIN person p ON p.tenant = m.tenant AND p.id = m.person \
             ORDER BY u.folded, u.id, p.sort_name, p.id"
        );
        self.rows(&sql, vec![building.0.into()]).await
    }
}
