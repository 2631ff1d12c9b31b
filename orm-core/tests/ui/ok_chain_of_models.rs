//! A ring of 150 models, related both ways, compiles, and each stays `Send` and `Sync`.

use orm_core::Model;
use orm_core::relation::{ForeignKey, HasMany};

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M0 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M1>,
    pub before: HasMany<M149>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M1 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M2>,
    pub before: HasMany<M0>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M2 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M3>,
    pub before: HasMany<M1>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M3 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M4>,
    pub before: HasMany<M2>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M4 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M5>,
    pub before: HasMany<M3>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M5 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M6>,
    pub before: HasMany<M4>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M6 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M7>,
    pub before: HasMany<M5>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M7 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M8>,
    pub before: HasMany<M6>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M8 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M9>,
    pub before: HasMany<M7>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M9 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M10>,
    pub before: HasMany<M8>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M10 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M11>,
    pub before: HasMany<M9>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M11 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M12>,
    pub before: HasMany<M10>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M12 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M13>,
    pub before: HasMany<M11>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M13 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M14>,
    pub before: HasMany<M12>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M14 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M15>,
    pub before: HasMany<M13>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M15 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M16>,
    pub before: HasMany<M14>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M16 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M17>,
    pub before: HasMany<M15>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M17 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M18>,
    pub before: HasMany<M16>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M18 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M19>,
    pub before: HasMany<M17>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M19 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M20>,
    pub before: HasMany<M18>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M20 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M21>,
    pub before: HasMany<M19>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M21 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M22>,
    pub before: HasMany<M20>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M22 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M23>,
    pub before: HasMany<M21>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M23 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M24>,
    pub before: HasMany<M22>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M24 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M25>,
    pub before: HasMany<M23>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M25 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M26>,
    pub before: HasMany<M24>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M26 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M27>,
    pub before: HasMany<M25>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M27 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M28>,
    pub before: HasMany<M26>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M28 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M29>,
    pub before: HasMany<M27>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M29 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M30>,
    pub before: HasMany<M28>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M30 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M31>,
    pub before: HasMany<M29>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M31 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M32>,
    pub before: HasMany<M30>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M32 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M33>,
    pub before: HasMany<M31>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M33 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M34>,
    pub before: HasMany<M32>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M34 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M35>,
    pub before: HasMany<M33>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M35 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M36>,
    pub before: HasMany<M34>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M36 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M37>,
    pub before: HasMany<M35>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M37 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M38>,
    pub before: HasMany<M36>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M38 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M39>,
    pub before: HasMany<M37>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M39 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M40>,
    pub before: HasMany<M38>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M40 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M41>,
    pub before: HasMany<M39>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M41 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M42>,
    pub before: HasMany<M40>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M42 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M43>,
    pub before: HasMany<M41>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M43 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M44>,
    pub before: HasMany<M42>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M44 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M45>,
    pub before: HasMany<M43>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M45 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M46>,
    pub before: HasMany<M44>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M46 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M47>,
    pub before: HasMany<M45>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M47 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M48>,
    pub before: HasMany<M46>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M48 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M49>,
    pub before: HasMany<M47>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M49 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M50>,
    pub before: HasMany<M48>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M50 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M51>,
    pub before: HasMany<M49>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M51 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M52>,
    pub before: HasMany<M50>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M52 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M53>,
    pub before: HasMany<M51>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M53 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M54>,
    pub before: HasMany<M52>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M54 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M55>,
    pub before: HasMany<M53>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M55 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M56>,
    pub before: HasMany<M54>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M56 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M57>,
    pub before: HasMany<M55>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M57 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M58>,
    pub before: HasMany<M56>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M58 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M59>,
    pub before: HasMany<M57>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M59 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M60>,
    pub before: HasMany<M58>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M60 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M61>,
    pub before: HasMany<M59>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M61 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M62>,
    pub before: HasMany<M60>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M62 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M63>,
    pub before: HasMany<M61>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M63 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M64>,
    pub before: HasMany<M62>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M64 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M65>,
    pub before: HasMany<M63>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M65 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M66>,
    pub before: HasMany<M64>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M66 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M67>,
    pub before: HasMany<M65>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M67 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M68>,
    pub before: HasMany<M66>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M68 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M69>,
    pub before: HasMany<M67>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M69 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M70>,
    pub before: HasMany<M68>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M70 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M71>,
    pub before: HasMany<M69>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M71 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M72>,
    pub before: HasMany<M70>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M72 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M73>,
    pub before: HasMany<M71>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M73 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M74>,
    pub before: HasMany<M72>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M74 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M75>,
    pub before: HasMany<M73>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M75 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M76>,
    pub before: HasMany<M74>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M76 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M77>,
    pub before: HasMany<M75>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M77 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M78>,
    pub before: HasMany<M76>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M78 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M79>,
    pub before: HasMany<M77>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M79 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M80>,
    pub before: HasMany<M78>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M80 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M81>,
    pub before: HasMany<M79>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M81 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M82>,
    pub before: HasMany<M80>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M82 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M83>,
    pub before: HasMany<M81>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M83 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M84>,
    pub before: HasMany<M82>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M84 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M85>,
    pub before: HasMany<M83>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M85 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M86>,
    pub before: HasMany<M84>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M86 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M87>,
    pub before: HasMany<M85>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M87 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M88>,
    pub before: HasMany<M86>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M88 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M89>,
    pub before: HasMany<M87>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M89 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M90>,
    pub before: HasMany<M88>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M90 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M91>,
    pub before: HasMany<M89>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M91 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M92>,
    pub before: HasMany<M90>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M92 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M93>,
    pub before: HasMany<M91>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M93 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M94>,
    pub before: HasMany<M92>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M94 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M95>,
    pub before: HasMany<M93>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M95 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M96>,
    pub before: HasMany<M94>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M96 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M97>,
    pub before: HasMany<M95>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M97 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M98>,
    pub before: HasMany<M96>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M98 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M99>,
    pub before: HasMany<M97>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M99 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M100>,
    pub before: HasMany<M98>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M100 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M101>,
    pub before: HasMany<M99>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M101 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M102>,
    pub before: HasMany<M100>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M102 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M103>,
    pub before: HasMany<M101>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M103 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M104>,
    pub before: HasMany<M102>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M104 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M105>,
    pub before: HasMany<M103>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M105 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M106>,
    pub before: HasMany<M104>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M106 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M107>,
    pub before: HasMany<M105>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M107 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M108>,
    pub before: HasMany<M106>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M108 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M109>,
    pub before: HasMany<M107>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M109 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M110>,
    pub before: HasMany<M108>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M110 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M111>,
    pub before: HasMany<M109>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M111 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M112>,
    pub before: HasMany<M110>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M112 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M113>,
    pub before: HasMany<M111>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M113 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M114>,
    pub before: HasMany<M112>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M114 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M115>,
    pub before: HasMany<M113>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M115 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M116>,
    pub before: HasMany<M114>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M116 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M117>,
    pub before: HasMany<M115>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M117 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M118>,
    pub before: HasMany<M116>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M118 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M119>,
    pub before: HasMany<M117>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M119 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M120>,
    pub before: HasMany<M118>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M120 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M121>,
    pub before: HasMany<M119>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M121 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M122>,
    pub before: HasMany<M120>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M122 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M123>,
    pub before: HasMany<M121>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M123 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M124>,
    pub before: HasMany<M122>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M124 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M125>,
    pub before: HasMany<M123>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M125 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M126>,
    pub before: HasMany<M124>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M126 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M127>,
    pub before: HasMany<M125>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M127 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M128>,
    pub before: HasMany<M126>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M128 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M129>,
    pub before: HasMany<M127>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M129 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M130>,
    pub before: HasMany<M128>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M130 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M131>,
    pub before: HasMany<M129>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M131 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M132>,
    pub before: HasMany<M130>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M132 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M133>,
    pub before: HasMany<M131>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M133 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M134>,
    pub before: HasMany<M132>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M134 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M135>,
    pub before: HasMany<M133>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M135 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M136>,
    pub before: HasMany<M134>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M136 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M137>,
    pub before: HasMany<M135>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M137 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M138>,
    pub before: HasMany<M136>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M138 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M139>,
    pub before: HasMany<M137>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M139 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M140>,
    pub before: HasMany<M138>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M140 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M141>,
    pub before: HasMany<M139>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M141 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M142>,
    pub before: HasMany<M140>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M142 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M143>,
    pub before: HasMany<M141>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M143 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M144>,
    pub before: HasMany<M142>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M144 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M145>,
    pub before: HasMany<M143>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M145 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M146>,
    pub before: HasMany<M144>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M146 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M147>,
    pub before: HasMany<M145>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M147 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M148>,
    pub before: HasMany<M146>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M148 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M149>,
    pub before: HasMany<M147>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct M149 {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "before")]
    pub next: ForeignKey<M0>,
    pub before: HasMany<M148>,
}

fn crosses<T: Send + Sync + 'static>() {}

fn main() {
    crosses::<M0>();
    crosses::<M75>();
    assert_eq!(orm_core::models![M0, M149].len(), 2);
}
