//! Every route, and the layers around them.

use super::problem::{Code, Problem};
use super::{access_log, body, document, gate, headers, idempotency, limits, origin, probes, problem};
use crate::app;
use crate::auth::caller;
use crate::import;
use crate::node::Node;
use crate::picture;
use crate::web;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long a request may take, body and answer together. WebSockets are answered at once and live on.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// The same for a file of people or cards: 10 MB over a slow line.
const UPLOAD_TIME_LIMIT: Duration = Duration::from_secs(60);

/// The operations of the document.
pub fn operations() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new()
        .routes(routes!(probes::health))
        .routes(routes!(probes::ready))
        .routes(routes!(probes::metrics))
        .routes(routes!(document::handler))
        .routes(routes!(app::claim::state))
        .routes(routes!(app::claim::handler))
        .routes(routes!(app::sign_in::handler, app::session::handler, app::sign_out::handler))
        .routes(routes!(app::follow_invitation::look))
        .routes(routes!(app::follow_invitation::accept))
        .routes(routes!(app::invitations::state, app::invitations::invite, app::invitations::withdraw))
        .routes(routes!(app::devices::list, app::me::sign_out_others))
        .routes(routes!(app::me::handler, app::me::change))
        .routes(routes!(app::me::data))
        .routes(routes!(app::devices::sign_out))
        .routes(routes!(app::my_bells::list))
        .routes(routes!(app::my_bells::change))
        .routes(routes!(app::household::list))
        .routes(routes!(app::household::take_in))
        .routes(routes!(app::household::take_out))
        .routes(routes!(app::household::invite))
        .routes(routes!(app::household::give_button))
        .routes(routes!(app::household::hand_on))
        .routes(routes!(app::my_guests::list, app::my_guests::make))
        .routes(routes!(app::my_guests::change, app::my_guests::remove))
        .routes(routes!(app::my_guests::link))
        .routes(routes!(app::my_guests::mail))
        .routes(routes!(app::house_guests::list, app::house_guests::make))
        .routes(routes!(app::house_guests::change, app::house_guests::remove))
        .routes(routes!(app::house_guests::link))
        .routes(routes!(app::guest_pass::look))
        .routes(routes!(app::guest_pass::open))
        .routes(routes!(app::confidentiality::handler, app::confidentiality::accept))
        .routes(routes!(app::roles::handler, app::roles::give))
        .routes(routes!(app::roles::changes))
        .routes(routes!(app::roles::take))
        .routes(routes!(app::tokens::list, app::tokens::make))
        .routes(routes!(app::tokens::revoke))
        .routes(routes!(app::buildings::handler, app::buildings::make))
        .routes(routes!(app::edit_building::handler, app::edit_building::change, app::edit_building::remove))
        .routes(routes!(app::edit_entrance::handler, app::edit_entrance::change, app::edit_entrance::remove))
        .routes(routes!(app::edit_unit::handler, app::edit_unit::change, app::edit_unit::remove))
        .routes(routes!(app::edit_door::handler, app::edit_door::change, app::edit_door::remove))
        .routes(routes!(app::edit_panel::handler, app::edit_panel::change, app::edit_panel::remove))
        .routes(routes!(
            app::edit_controller::handler,
            app::edit_controller::change,
            app::edit_controller::remove
        ))
        .routes(routes!(app::app_requirements::handler, app::app_requirements::set))
        .routes(routes!(app::tenants::list, app::tenants::make))
        .routes(routes!(app::tenants::change))
        .routes(routes!(app::checklist::handler))
        .routes(routes!(app::policy::handler, app::policy::set))
        .routes(routes!(app::audit::handler))
        .routes(routes!(app::audit_csv::handler))
        .routes(routes!(app::audit::proof))
        .routes(routes!(app::entrances::handler, app::entrances::add))
        .routes(routes!(app::units::handler, app::add_units::handler))
        .routes(routes!(app::bells::handler, app::add_bell::handler, app::add_bell::order))
        .routes(routes!(app::add_bell::remove, app::change_bell::handler))
        .routes(routes!(app::change_bell::moderate))
        .routes(routes!(app::panel_directory::handler))
        .routes(routes!(app::panels::handler, app::add_panel::handler))
        .routes(routes!(app::doors::handler, app::doors::add))
        .routes(routes!(app::controllers::handler, app::add_controller::handler))
        .routes(routes!(app::door_settings::handler, app::door_settings::change))
        .routes(routes!(app::door_settings::hold))
        .routes(routes!(app::door_settings::lock_down, app::door_settings::set_lock_down))
        .routes(routes!(app::alarms::list))
        .routes(routes!(app::alarms::see))
        .routes(routes!(app::alarms::set_mail))
        .routes(routes!(app::record_policy::handler, app::record_policy::keep, app::record_policy::end))
        .routes(routes!(app::record_policy::confirm))
        .routes(routes!(app::records::list))
        .routes(routes!(app::records_csv::handler))
        .routes(routes!(app::records::readings))
        .routes(routes!(app::my_records::list))
        .routes(routes!(app::my_records::readings))
        .routes(routes!(app::schedules::list, app::schedules::add))
        .routes(routes!(app::schedules::change, app::schedules::remove))
        .routes(routes!(app::schedules::week))
        .routes(routes!(app::people_groups::list, app::people_groups::add))
        .routes(routes!(app::people_groups::change, app::people_groups::remove))
        .routes(routes!(app::door_groups::list, app::door_groups::add))
        .routes(routes!(app::door_groups::change, app::door_groups::remove))
        .routes(routes!(app::rules::list, app::rules::add))
        .routes(routes!(app::rules::change, app::rules::remove))
        .routes(routes!(app::why::handler))
        .routes(routes!(app::cards::list, app::cards::add))
        .routes(routes!(app::cards::change, app::cards::remove))
        .routes(routes!(app::cards::of_person))
        .routes(routes!(app::card_readings::readers))
        .routes(routes!(app::card_readings::begin))
        .routes(routes!(app::card_readings::look, app::card_readings::cancel))
        .routes(routes!(app::my_card_readings::readers))
        .routes(routes!(app::my_card_readings::begin))
        .routes(routes!(app::my_card_readings::look, app::my_card_readings::cancel))
        .routes(routes!(app::my_cards::list, app::my_cards::add))
        .routes(routes!(app::my_cards::change))
        .routes(routes!(app::my_codes::list))
        .routes(routes!(app::my_codes::renew, app::my_codes::end))
        .routes(routes!(app::person_codes::of_person))
        .routes(routes!(app::person_codes::remove))
        .routes(routes!(app::controller_pairing::handler))
        .routes(routes!(app::people::list, app::add_person::handler))
        .routes(routes!(app::people_csv::handler))
        .routes(routes!(app::people::one, app::change_person::handler, app::end_person::delete))
        .routes(routes!(app::end_person::sign_out))
        .routes(routes!(app::suspend_person::suspend, app::suspend_person::resume))
        .routes(routes!(app::who::handler))
        .routes(routes!(app::who::counts))
        .routes(routes!(app::openers::of_door))
        .routes(routes!(app::openers::of_person))
        .routes(routes!(app::seen_by::handler))
        .routes(routes!(app::ghosts::handler))
        .routes(routes!(app::ghosts::keys))
        .routes(routes!(app::homes::give))
        .routes(routes!(app::homes::take))
        .routes(routes!(app::moves::preview))
        .routes(routes!(app::moves::plan))
        .routes(routes!(app::moves::list))
        .routes(routes!(app::moves::one, app::moves::cancel))
        .routes(routes!(app::pair_panel::open))
        .routes(routes!(app::pair_panel::state))
        .routes(routes!(app::pair_panel::redeem))
        .routes(routes!(app::webhooks::list, app::webhooks::add))
        .routes(routes!(app::webhooks::change, app::webhooks::remove))
        .routes(routes!(app::webhooks::rotate))
        .routes(routes!(app::webhooks::test))
        .routes(routes!(app::trunks::list, app::trunks::add))
        .routes(routes!(app::trunks::change, app::trunks::remove))
        .routes(routes!(app::trunks::order))
        .routes(routes!(app::test_calls::begin, app::test_calls::show, app::test_calls::end))
        .routes(routes!(app::phone_limits::handler, app::phone_limits::set))
        .routes(routes!(app::station_relays::handler, app::station_relays::set, app::station_relays::remove))
        .routes(routes!(app::station_relays::certificate))
        .routes(routes!(app::door_stations::add))
        .routes(routes!(app::door_stations::renew, app::door_stations::set))
        .routes(routes!(app::phone_numbers::of_person, app::phone_numbers::vouch, app::phone_numbers::remove))
        .routes(routes!(app::phone_numbers::by_building))
        .routes(routes!(app::sip_devices::list, app::sip_devices::add))
        .routes(routes!(app::sip_devices::remove))
        .routes(routes!(app::sip_devices::accounts))
        .routes(routes!(
            app::my_phone_number::handler,
            app::my_phone_number::confirm,
            app::my_phone_number::remove
        ))
        .routes(routes!(app::my_phone_number::give_up))
        .routes(routes!(app::imports::show, app::imports::change, app::imports::discard))
        .routes(routes!(app::apply_import::apply))
        .routes(routes!(app::apply_import::undo))
        .routes(routes!(app::apply_import::progress))
        .routes(routes!(app::apply_import::errors))
        .routes(routes!(app::pictures::show))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(app::pictures::set, app::pictures::remove))
                .routes(routes!(app::pictures::put))
                .layer(DefaultBodyLimit::max(picture::MAX_FILE)),
        )
        .merge(
            OpenApiRouter::new()
                .routes(routes!(app::imports::upload))
                .routes(routes!(app::import_cards::handler))
                .layer(DefaultBodyLimit::max(import::MAX_FILE)),
        )
}

/// The whole of the HTTP side.
pub fn router(node: &Arc<Node>) -> Router {
    let (operations, _) = operations().split_for_parts();
    operations
        .route("/api/v1/panel/socket", get(crate::signalling::panel::upgrade))
        .route("/api/v1/app/socket", get(crate::signalling::app::upgrade))
        .method_not_allowed_fallback(wrong_method)
        .merge(web::pages())
        .layer(DefaultBodyLimit::max(body::MAX_BODY))
        .layer(from_fn_with_state(node.clone(), idempotency::once))
        .layer(from_fn_with_state(node.clone(), limits::guard))
        .layer(from_fn_with_state(node.clone(), caller::find))
        .layer(from_fn_with_state(node.clone(), gate::guard))
        .layer(from_fn_with_state(node.clone(), origin::guard))
        .layer(from_fn_with_state(node.clone(), crate::webhooks::after_changes))
        .layer(from_fn(time_limit))
        .layer(from_fn(problem::render))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(node.clone(), headers::add))
        .layer(from_fn_with_state(node.clone(), access_log::record))
        .with_state(node.clone())
}

async fn wrong_method() -> Problem {
    Code::WrongMethod.into()
}

async fn time_limit(request: Request, next: Next) -> Result<Response, Problem> {
    let limit = time_limit_of(request.uri().path());
    tokio::time::timeout(limit, next.run(request)).await.map_err(|_| Code::TimedOut.into())
}

fn time_limit_of(path: &str) -> Duration {
    let is_file = path.starts_with("/api/v1/buildings/")
        && (path.ends_with("/imports") || path.ends_with("/cards/import"));
    if is_file { UPLOAD_TIME_LIMIT } else { TIME_LIMIT }
}

#[cfg(test)]
mod tests {
    use super::{TIME_LIMIT, UPLOAD_TIME_LIMIT, time_limit_of};

    #[test]
    fn only_files_are_waited_for_longer() {
        assert_eq!(time_limit_of("/api/v1/buildings/x/imports"), UPLOAD_TIME_LIMIT);
        assert_eq!(time_limit_of("/api/v1/buildings/x/cards/import"), UPLOAD_TIME_LIMIT);
        for short in ["/api/v1/imports/x", "/api/v1/imports/x/apply", "/imports", "/api/v1/buildings/x/units"]
        {
            assert_eq!(time_limit_of(short), TIME_LIMIT, "{short}");
        }
    }
}
