"""The invented council's own step types, live and retired, with the question that dates each."""

import polars as pl

CONTACT, ONLINE_CONTACT, OLD_CONTACT = 2110, 2111, 104
ASSESSMENT, OLD_ASSESSMENT = 2320, 233
FIRST_REVIEW, YEARLY_REVIEW, UNPLANNED_REVIEW, OLD_UNPLANNED_REVIEW, TARGETED_REVIEW = 2410, 2411, 2420, 241, 2430
REVIEWS = [FIRST_REVIEW, YEARLY_REVIEW, UNPLANNED_REVIEW, OLD_UNPLANNED_REVIEW, TARGETED_REVIEW]
CONTACTS, ASSESSMENTS = [CONTACT, ONLINE_CONTACT, OLD_CONTACT], [ASSESSMENT, OLD_ASSESSMENT]
REABLEMENT_PLAN, EQUIPMENT = 2510, 2910

REFERRED_ON, ASSESSED_ON, OLD_ASSESSED_ON = "dateReferral", "assStartDate", "dateAssessment"
REVIEWED_ON, REABLED_FROM = "reviewDate", "reablementStart"
HOW_HELD, ELIGIBLE = "HowAssessmentConducted", "eligibleForService"

STEP_TYPES = pl.DataFrame(
    [
        (OLD_CONTACT, "ZZ Contact and Referral", "contact", "N", REFERRED_ON),
        (OLD_ASSESSMENT, "ZZ Community Care Assessment", "assessment", "N", OLD_ASSESSED_ON),
        (OLD_UNPLANNED_REVIEW, "ZZ Reassessment", "unplanned_review", "N", REVIEWED_ON),
        (CONTACT, "Adult Contact", "contact", "N", REFERRED_ON),
        (ONLINE_CONTACT, "Adult Contact - Online", "contact", "N", REFERRED_ON),
        (ASSESSMENT, "Care and Support Assessment", "assessment", "N", ASSESSED_ON),
        (FIRST_REVIEW, "Initial Review of Support", "planned_review", "N", REVIEWED_ON),
        (YEARLY_REVIEW, "Annual Review of Support", "planned_review", "N", REVIEWED_ON),
        (UNPLANNED_REVIEW, "Unplanned Review of Support", "unplanned_review", "N", REVIEWED_ON),
        (TARGETED_REVIEW, "Targeted Review of Support", "unplanned_review", "Y", REVIEWED_ON),
        (REABLEMENT_PLAN, "Reablement Plan and Summary", "reablement", "N", REABLED_FROM),
        (EQUIPMENT, "Equipment Request", "other", "N", None),
    ],
    schema={
        "step_type_ref": pl.Int64,
        "step_type_name": pl.String,
        "activity_code": pl.String,
        "is_targeted_review": pl.String,
        "business_date_question": pl.String,
    },
    orient="row",
)
