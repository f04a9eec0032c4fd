-- The expression holds on every row; a row where it is unknown fails too.
{% test every_row(model, expression) %}
    select 1 as row_that_fails
    from {{ model }}
    where ({{ expression }}) is not true
{% endtest %}
