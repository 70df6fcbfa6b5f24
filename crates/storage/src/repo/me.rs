//! What a person sees and changes of themselves.

use crate::Result;
use crate::entity::{account, device, person};
use crate::record::Changed;
use crate::repo::news::{self, News};
use crate::repo::people::{person_row, write_words};
use crate::repo::{Devices, People, convert};
use crate::tx::{self, Isolation};
use klinke_model::contact::{Email, Language, Phone};
use klinke_model::events::EventKind;
use klinke_model::ids::DeviceId;
use klinke_model::people::Person;
use klinke_model::privacy::Pii;
use klinke_model::scope::{Principal, Scope};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};

impl People<'_> {
    /// The user name and the password's hash of the person who asks.
    pub async fn my_account(&self, scope: &Scope) -> Result<Option<(Pii<String>, Pii<String>)>> {
        let Some(who) = scope.person() else { return Ok(None) };
        let row = account::Entity::find_by_id((scope.tenant.0, who.0)).one(&self.0.reader).await?;
        Ok(row.map(|row| (Pii::new(row.user_name), Pii::new(row.password_hash))))
    }

    /// Changes how the person who asks is reached; never their name, which administrators spell. `version` is the version
    /// that they saw. It is not in the audit, which tells what administrators did.
    pub async fn change_me(
        &self,
        scope: &Scope,
        version: u64,
        email: Option<Pii<Email>>,
        phone: Option<Pii<Phone>>,
        language: Language,
    ) -> Result<Changed> {
        let Some(who) = scope.person() else { return Ok(Changed::NotFound) };
        let (email, phone) = (&email, &phone);
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = person::Entity::find_by_id((scope.tenant.0, who.0))
                .filter(person::Column::Active.eq(true))
                .one(&*tx)
                .await?;
            let Some(before) = found.as_ref().map(convert::person).transpose()? else {
                return Ok(Changed::NotFound);
            };
            if before.version != version {
                return Ok(Changed::Conflict(before));
            }
            let version = version.saturating_add(1);
            let after = Person { email: email.clone(), phone: phone.clone(), language, version, ..before };
            person_row(scope.tenant, &after).update(&*tx).await?;
            write_words(&*tx, scope.tenant, &after).await?;
            let news = [News::of_person(&tx, scope, EventKind::PersonChanged, who).await?];
            news::tell(&tx, scope, &news::at_home(scope.at, who), &news).await?;
            Ok(Changed::Done(after))
        })
        .await
    }
}

impl Devices<'_> {
    /// Signs out every device of the person who asks but the one they ask from; which they were.
    pub async fn sign_out_others(&self, scope: &Scope) -> Result<Vec<DeviceId>> {
        let Principal::Person { person, device: this } = scope.principal else { return Ok(Vec::new()) };
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let others = device::Entity::find()
                .filter(device::Column::Tenant.eq(scope.tenant.0))
                .filter(device::Column::Person.eq(person.0))
                .filter(device::Column::Id.ne(this.0))
                .all(&*tx)
                .await?;
            device::Entity::delete_many()
                .filter(device::Column::Tenant.eq(scope.tenant.0))
                .filter(device::Column::Person.eq(person.0))
                .filter(device::Column::Id.ne(this.0))
                .exec(&*tx)
                .await?;
            Ok(others.into_iter().map(|row| row.id.into()).collect())
        })
        .await
    }
}
