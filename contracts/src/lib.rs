//! The nouns of Planthread: canonical capacity-signal contracts.
//!
//! No IO, no async, no vendor words. Everything that crosses a room of the
//! house (intake, derive, project, plan, deliver, verify) is spelt here once.
//!
//! What a twin sends comes in as a CloudEvent, and a fault has a name:
//!
//! ```
//! use planthread_contracts::{CloudEvent, TwinOutput};
//! # let file = include_str!("../examples/valid/envelope/required-attributes-only.json");
//! let event = CloudEvent::parse(file.as_bytes()).unwrap();
//! let Ok(TwinOutput::Oee(oee)) = TwinOutput::from_event(&event) else { panic!() };
//! assert_eq!(oee.sums()?.availability()?.normalize().to_string(), "0.8");
//!
//! let late = file.replace("2026-10-18T22:00:00Z", "2026-10-18T22:00:00");
//! let faults = TwinOutput::from_event(&CloudEvent::parse(late.as_bytes()).unwrap()).unwrap_err();
//! assert_eq!(faults[0].path, "data.window.start");
//! # Ok::<(), planthread_contracts::Undefined>(())
//! ```

pub mod adoption;
pub mod capability;
pub mod catalogue;
pub mod cell;
pub mod distribution;
pub mod envelope;
pub mod equipment;
pub mod measure;
pub mod name;
pub mod outputs;
pub mod ownership;
pub mod period;
pub mod provenance;
pub mod quantity;
pub mod receipt;
pub mod record;
pub mod severity;
pub mod signal;
pub mod state;
pub mod status;
pub mod strict_json;
pub mod violation;

pub use adoption::{Adoption, AdoptionError};
pub use capability::{CapabilityBalance, CapabilityType, CapacityBasis, CapacityFigure, Loss};
pub use catalogue::{CONTRACTS, Contract, Direction, Entry};
pub use cell::{CellKey, DesiredCell, GroupKey, SeenCell};
pub use distribution::{Distribution, Family, Outcome, Quantile, Support};
pub use envelope::CloudEvent;
pub use equipment::{EquipmentLevel, EquipmentRef, PathStep, Resource, ResourceClass};
pub use measure::{Aggregation, Carries, MeasureDecl, Owner, Role};
pub use name::Name;
pub use outputs::{
    TwinOutput, Window,
    availability_forecast::{AvailabilityForecast, PeriodForecast, TwoState},
    constraint_map::{Constraint, ConstraintMap},
    oee::{ElementSums, Oee, OeeOutput, Undefined},
    production_state::{Changeover, EquipmentState, ProductionState, Queue, Yield},
    simulation_result::{ChangedInput, SimulatedMeasure, SimulatedOutput, SimulationResult},
    throughput::{Counted, Made, RateBasis, Throughput},
};
pub use ownership::{NotOurs, Promotion, PromotionError, Scope, WriteGrant};
pub use period::{Period, PeriodError, PeriodKind};
pub use provenance::{Gap, ModelRef, Provenance, Quality, QualityLevel, TwinKind, TwinSource};
pub use quantity::{Quantity, Unit, UnknownUnit};
pub use receipt::{Receipt, Rejection, RowOutcome};
pub use record::{Origin, RawRecord, RejectedRecord};
pub use severity::{Mix, SeverityMethod};
pub use signal::{
    available_capacity::AvailableCapacity,
    constraint_severity::ConstraintSeverity,
    maintenance_risk::{MaintenanceRiskHorizon, MaintenanceWindow, RiskThreshold},
};
pub use state::RevisionState;
pub use status::Status;
pub use violation::Violation;
